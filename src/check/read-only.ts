import { type Call, type Expr, lineAt, walk } from '../elixir/syntax.ts';
import { atomName, moduleName, pairs, show, type Value } from '../elixir/value.ts';
import type { SourceModule } from '../facts/sources.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { usesMnesia } from './node-name.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Place, type Rule, rulesFor, type Weight } from './rule.ts';
import { missingTzdata } from './runtime-app.ts';
import { PROBE, settingAt } from './runtime-settings.ts';

/** What would write below the release, which belongs to root: `what` writes where, and the remedy. */
interface Writer extends Place {
  what: string;
  remedy: string;
}

const ELSEWHERE =
  'write to System.tmp_dir!() what may get lost, to object storage or a volume what may not';

/** Folders that a machine's user can write to: /tmp, and volumes once they are given to it. */
function isWritable({ fly }: Repo, path: Value | undefined): boolean {
  const volumes = fly ? tablesAt(fly.table, 'mounts').map(({ data }) => data.destination) : [];
  return ['/tmp', ...volumes].some(
    (folder) => typeof folder === 'string' && String(path).startsWith(folder),
  );
}

const placeIn = (repo: Repo, app: string, key: string | null): Place => {
  const setting = repo.project.config.settings.findLast(
    (one) => one.app === app && (key === null || one.key === key || one.key === null),
  );
  return setting ? { file: setting.file, line: setting.line } : { file: 'mix.lock' };
};

function tzdata(repo: Repo): Writer[] {
  const isOff = atomName(settingAt(repo, ['tzdata', 'autoupdate'])) === 'disabled';
  const folder = settingAt(repo, ['tzdata', 'data_dir']);
  if (!repo.project.lock.has('tzdata') || isOff || isWritable(repo, folder)) return [];
  return [
    {
      ...placeIn(repo, 'tzdata', null),
      what: 'tzdata fetches new time zones and writes them below its priv folder',
      remedy: `config :tzdata, :autoupdate, :disabled${missingTzdata(repo) ? '; `npx plop runtime-exs` writes it' : ''}`,
    },
  ];
}

function tz(repo: Repo): Writer[] {
  const files = repo.sources.mentioning(['Tz.UpdatePeriodically', 'Tz.WatchPeriodically']);
  if (isWritable(repo, settingAt(repo, ['tz', 'data_dir']))) return [];
  return files.map((file) => ({
    file,
    line: lineAt(repo.sources.text(file), repo.sources.text(file).search(/Tz\.\w+Periodically/)),
    what: 'tz fetches new time zones and writes them below its priv folder',
    remedy: 'config :tz, :data_dir, "/tmp/tz"',
  }));
}

function mnesia(repo: Repo): Writer[] {
  const folder = settingAt(repo, ['mnesia', 'dir']);
  if (!usesMnesia(repo) || isWritable(repo, folder)) return [];
  return [
    {
      ...placeIn(repo, 'mnesia', null),
      what: `what Mnesia keeps on disc goes to ${typeof folder === 'string' ? folder : 'the working directory'}`,
      remedy:
        'config :mnesia, dir: ~c"/data/mnesia" with a volume at /data ([mounts] in fly.toml), and once, as root: chown 65534 /data',
    },
  ];
}

const PATHS = /^(path|file|dir)$/;

/** Log files of the default handler, of LoggerFileBackend and others. */
function logFiles(repo: Repo): Writer[] {
  return repo.project.config.settings
    .filter(({ app, file }) => app === 'logger' && !/\/(dev|test)\.exs$/.test(file))
    .flatMap(({ value, key, file, line }) =>
      pathsIn(value)
        .filter((path) => !isWritable(repo, path) && !path.startsWith('/dev/'))
        .map((path) => ({
          file,
          line,
          what: `Logger's ${key ?? 'backend'} writes ${path}`,
          remedy: 'log to standard output, which `fly logs` shows; or below /tmp',
        })),
    );
}

function pathsIn(value: Value): string[] {
  const items = Array.isArray(value) ? value : [];
  return items.flatMap((item) => {
    const [key, inner = null] =
      typeof item === 'object' && item && 'items' in item ? item.items : [];
    if (typeof inner === 'string' && PATHS.test(atomName(key) ?? '')) return [inner];
    return pathsIn(inner);
  });
}

/** Waffle and Arc keep uploads beside the code with their local storage. */
function localUploads(repo: Repo): Writer[] {
  return ['waffle', 'arc'].flatMap((app) => {
    const storage = settingAt(repo, [app, 'storage']);
    const isLocal = moduleName(storage)?.endsWith('.Storage.Local');
    const prefix = settingAt(repo, [app, 'storage_dir_prefix']);
    if (!isLocal || isWritable(repo, prefix)) return [];
    return [
      {
        ...placeIn(repo, app, 'storage'),
        what: `${app} keeps uploads in the working directory, ${show(storage)}`,
        remedy: `config :${app}, storage: Waffle.Storage.S3, or a storage_dir_prefix on a volume`,
      },
    ];
  });
}

/** Folders that the app's own settings name: ClaperCo/Claper#76. */
function ownFolders(repo: Repo): Writer[] {
  const app = repo.project.app.otpApp;
  return pairs(repo.boot(PROBE).apps.get(app))
    .filter(([key]) => /(storage|upload|data|cache)\w*_(dir|path|folder|root)$/.test(key))
    .filter(([, value]) => typeof value === 'string' && /^(\/app\/|(\.\/)?priv\/)/.test(value))
    .map(([key, value]) => ({
      ...placeIn(repo, app, key),
      what: `${key} is ${show(value)}`,
      remedy: ELSEWHERE,
    }));
}

const WRITES = /^(write|cp|cp_r|rename|mkdir|mkdir_p|touch|copy|open)!?$/;

/** Own code that writes below /app, or into priv. */
function ownWrites(repo: Repo, literal: boolean): Writer[] {
  const sources = repo.sources;
  return sources
    .mentioning(['File.', ':disk_log', ':dets'])
    .filter((file) => !/(^|\/)mix\//.test(file))
    .flatMap((file) => sources.modules(file))
    .flatMap((module) => writesIn(module, literal));
}

function writesIn({ body, text, file }: SourceModule, literal: boolean): Writer[] {
  const found: Writer[] = [];
  const attributes = body.filter((expr) => expr.is === 'attribute');
  walk(body, (definition) => {
    if (definition.is !== 'call' || !/^defp?$/.test(definition.name)) return;
    const block = [...attributes, ...Object.values(definition.blocks).flat()];
    walk(block, (expr) => {
      const target = targetOf(expr);
      const kind = target && kindOf(target, block);
      if (expr.is !== 'call' || !kind || (kind === 'below /app') !== literal) return;
      const on = expr.on?.is === 'atom' ? `:${expr.on.name}` : 'File';
      const what = `${on}.${expr.name} writes ${kind}`;
      found.push({ file, line: lineAt(text, expr.offset), what, remedy: ELSEWHERE });
    });
  });
  return found;
}

function targetOf(expr: Expr): Expr | undefined {
  if (expr.is !== 'call') return undefined;
  if (expr.on?.is !== 'atom')
    return isWrite(expr) ? expr.args[/^(cp|rename)/.test(expr.name) ? 1 : 0] : undefined;
  const opens = /^(disk_log\.open|dets\.open_file)$/.test(`${expr.on.name}.${expr.name}`);
  const options = opens ? expr.args.at(-1) : undefined;
  const items = options?.is === 'list' ? options.items : [];
  const file = items.find(
    (item) => item.is === 'tuple' && item.items[0]?.is === 'atom' && item.items[0].name === 'file',
  );
  return file?.is === 'tuple' ? file.items[1] : undefined;
}

const isWrite = (expr: Call): boolean =>
  expr.on?.is === 'module' &&
  expr.on.name === 'File' &&
  WRITES.test(expr.name) &&
  (!expr.name.startsWith('open') || /write|append/.test(JSON.stringify(expr.args[1] ?? '')));

type Kind = 'below /app' | 'below priv' | 'below the working directory, /app';

/** Where a path lies, also by way of a variable or an attribute; undefined: it can't be told, or is elsewhere. */
function kindOf(target: Expr, block: readonly Expr[], depth = 0): Kind | undefined {
  let kind: Kind | undefined;
  const first = target.is === 'string' ? String(target.parts[0]) : '';
  if (/^(\.\/)?(?!priv\/)[a-z_]\w*\//.test(first)) kind = 'below the working directory, /app';
  walk([target], (expr) => {
    if (expr.is === 'string' && /^\/app\//.test(String(expr.parts[0]))) kind ??= 'below /app';
    if (expr.is === 'string' && /^(\.\/)?priv\//.test(String(expr.parts[0]))) kind ??= 'below priv';
    if (expr.is === 'call' && /^(priv_dir|app_dir)$/.test(expr.name)) kind ??= 'below priv';
    if (expr.is === 'attribute') kind ??= heldBy(expr.name, block, depth);
    if (expr.is !== 'variable' || depth > 2) return;
    for (const statement of block) {
      const [left, right] =
        statement.is === 'operator' && statement.name === '=' ? statement.operands : [];
      if (left?.is === 'variable' && left.name === expr.name && right)
        kind ??= kindOf(right, block, depth + 1);
    }
  });
  return kind;
}

function heldBy(name: string, block: readonly Expr[], depth: number): Kind | undefined {
  const set = block.find((expr) => expr.is === 'attribute' && expr.name === name && expr.value);
  return set?.is === 'attribute' && set.value && depth < 3
    ? kindOf(set.value, block, depth + 1)
    : undefined;
}

function cubdb(repo: Repo): Writer[] {
  const sources = repo.sources;
  return sources.mentioning(['CubDB']).flatMap((file) => {
    const text = sources.text(file);
    const [found, folder = ''] = /\bCubDB\b[^\n]*\bdata_dir: "([^"]+)"/.exec(text) ?? [];
    if (found === undefined || isWritable(repo, folder)) return [];
    const line = lineAt(text, text.indexOf(found));
    return [{ file, line, what: `CubDB keeps its files in ${folder}`, remedy: ELSEWHERE }];
  });
}

const rule = (weight: Weight, find: (repo: Repo) => Writer[]): Rule<string> =>
  rulesFor(RUNTIME_EXS, 'B13')[weight](
    (_, repo) => find(repo),
    ({ what }) => `${what}, and the app may not write to its folder in the image`,
    ({ remedy }) => remedy,
  );

/** B13: nothing is written below the release. */
export const readOnlyRules: readonly Rule<string>[] = [
  rule('must', tzdata),
  rule('should', tz),
  rule('should', mnesia),
  rule('should', logFiles),
  rule('should', localUploads),
  rule('should', ownFolders),
  rule('should', cubdb),
  rule('must', (repo) => ownWrites(repo, true)),
  rule('should', (repo) => ownWrites(repo, false)),
];
