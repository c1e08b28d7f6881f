import { type Call, type Expr, lineAt, walk } from '../elixir/syntax.ts';
import { atomName, moduleName, pairs, show, type Value } from '../elixir/value.ts';
import type { SourceModule } from '../facts/sources.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { sourcesOf } from './compiled-keys.ts';
import { usesMnesia } from './node-name.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Place, type Rule, rulesFor, type Weight } from './rule.ts';
import { missingTzdata } from './runtime-missing.ts';
import { PROBE, settingAt } from './runtime-probe.ts';

/** What would write below the release, which belongs to root: `what` writes where, and the remedy. */
interface Writer extends Place {
  what: string;
  remedy: string;
}

const ELSEWHERE =
  'write below System.tmp_dir!() what may get lost, into object storage or onto a volume what may not';

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
  const files = sourcesOf(repo.project).mentioning([
    'Tz.UpdatePeriodically',
    'Tz.WatchPeriodically',
  ]);
  if (isWritable(repo, settingAt(repo, ['tz', 'data_dir']))) return [];
  return files.map((file) => ({
    file,
    line: lineAt(
      sourcesOf(repo.project).text(file),
      sourcesOf(repo.project)
        .text(file)
        .search(/Tz\.\w+Periodically/),
    ),
    what: 'tz fetches new time zones and writes them below its priv folder',
    remedy: 'config :tz, :data_dir, "/tmp/tz"',
  }));
}

function mnesia(repo: Repo): Writer[] {
  const folder = settingAt(repo, ['mnesia', 'dir']);
  if (!usesMnesia(repo.project) || isWritable(repo, folder)) return [];
  return [
    {
      ...placeIn(repo, 'mnesia', null),
      what: `what Mnesia keeps on disc goes to ${typeof folder === 'string' ? folder : 'the working directory'}`,
      remedy:
        'config :mnesia, dir: ~c"/data/mnesia" with a volume at /data ([mounts] in fly.toml), which has to be given to the user of the image once: chown 65534 /data',
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
  const sources = sourcesOf(repo.project);
  return sources
    .mentioning(['File.'])
    .filter((file) => !/(^|\/)mix\//.test(file))
    .flatMap((file) => sources.modules(file))
    .flatMap((module) => writesIn(module, literal));
}

function writesIn({ body, text, file }: SourceModule, literal: boolean): Writer[] {
  const found: Writer[] = [];
  walk(body, (definition) => {
    if (definition.is !== 'call' || !/^defp?$/.test(definition.name)) return;
    const block = Object.values(definition.blocks).flat();
    walk(block, (expr) => {
      if (!isWrite(expr)) return;
      const target =
        expr.args[expr.name.startsWith('cp') || expr.name.startsWith('rename') ? 1 : 0];
      const kind = target && kindOf(target, block);
      if (kind === (literal ? 'app' : 'priv'))
        found.push({
          file,
          line: lineAt(text, expr.offset),
          what: `File.${expr.name} writes below ${literal ? '/app' : 'priv'}`,
          remedy: ELSEWHERE,
        });
    });
  });
  return found;
}

const isWrite = (expr: Expr): expr is Call =>
  expr.is === 'call' &&
  expr.on?.is === 'module' &&
  expr.on.name === 'File' &&
  WRITES.test(expr.name) &&
  (!expr.name.startsWith('open') || /write|append/.test(JSON.stringify(expr.args[1] ?? '')));

/** `app`: a path below /app; `priv`: a path made from the app's priv folder, also by way of a variable. */
function kindOf(target: Expr, block: readonly Expr[], depth = 0): 'app' | 'priv' | undefined {
  let kind: 'app' | 'priv' | undefined;
  walk([target], (expr) => {
    if (expr.is === 'string' && /^\/app\//.test(String(expr.parts[0]))) kind ??= 'app';
    if (expr.is === 'string' && /^(\.\/)?priv\//.test(String(expr.parts[0]))) kind ??= 'priv';
    if (expr.is === 'call' && /^(priv_dir|app_dir)$/.test(expr.name)) kind ??= 'priv';
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

const rule = (weight: Weight, find: (repo: Repo) => Writer[]): Rule<string, Writer> =>
  rulesFor(RUNTIME_EXS)<Writer>({
    id: 'B13',
    weight,
    find: (_, repo) => find(repo),
    say: ({ what }) => `${what}, and the code in the image belongs to root`,
    mend: ({ remedy }) => remedy,
  });

/** B13: nothing is written below the release. */
export const readOnlyRules: readonly Rule<string>[] = [
  rule('must', tzdata),
  rule('should', tz),
  rule('should', mnesia),
  rule('should', logFiles),
  rule('should', localUploads),
  rule('should', ownFolders),
  rule('must', (repo) => ownWrites(repo, true)),
  rule('should', (repo) => ownWrites(repo, false)),
];
