import { atomName, moduleName, pairs, show, type Value } from '../elixir/value.ts';
import { isMixTask } from '../facts/sources.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { usesMnesia } from './env-sh-rules.ts';
import type { Repo } from './repo.ts';
import { type Rule, rulesFor } from './rule.ts';
import { missingTzdata } from './runtime-app.ts';
import { PLOP_WRITES_IT, PROBE, settingsOf } from './runtime-settings.ts';

const readOnlyImage = rulesFor<string>('B13');

const onVolume = (setting: string, name: string): string =>
  `config :${setting}: ~c"/data/${name}" with a volume at /data ([mounts] in fly.toml), and once, as root: chown 65534 /data`;

/** Folders that a machine's user can write to: /tmp, and volumes once they are given to it. */
function isWritable({ fly }: Repo, path: Value | undefined): boolean {
  const volumes = fly ? tablesAt(fly.table, 'mounts').map(({ data }) => data.destination) : [];
  return ['/tmp', '/dev/', ...volumes].some((folder) => String(path).startsWith(String(folder)));
}

/** Libraries that write below the release unless a setting names another folder. */
const LIBRARIES: [app: string, folder: string, stored: string, remedy: string][] = [
  ['tzdata', 'data_dir', 'new time zones', 'config :tzdata, :autoupdate, :disabled'],
  ['tz', 'data_dir', 'new time zones', 'config :tz, :data_dir, "/tmp/tz"'],
  ['mnesia', 'dir', 'what it keeps on disc', onVolume('mnesia, dir', 'mnesia')],
  // Khepri stands on it
  ['ra', 'data_dir', 'its log', onVolume('ra, data_dir', 'ra')],
  [
    'waffle',
    'storage_dir_prefix',
    'uploads',
    'config :waffle, storage: Waffle.Storage.S3, or a storage_dir_prefix on a volume',
  ],
];

function isUsed(repo: Repo, app: string): boolean {
  const { lock, sources } = repo.project;
  const { value } = settingsOf(repo, app);
  if (app === 'tz') return sources.matching(/Tz\.(Update|Watch)Periodically/).length > 0;
  if (app === 'mnesia') return usesMnesia(repo);
  if (app === 'waffle') return moduleName(value('storage')) === 'Waffle.Storage.Local';
  return lock.has(app) && atomName(value('autoupdate')) !== 'disabled';
}

function libraries(_: string, repo: Repo) {
  const writing = LIBRARIES.filter(
    ([app, folder]) => isUsed(repo, app) && !isWritable(repo, settingsOf(repo, app).value(folder)),
  );
  return writing.map(([app, , stored, remedy]) => {
    const weight = app === 'tzdata' ? 'must' : 'should';
    const ours = app === 'tzdata' && missingTzdata(repo) ? PLOP_WRITES_IT : '';
    const location = lastSetting(repo, app) ?? { file: 'mix.lock' };
    return { weight, app, stored, remedy: remedy + ours, ...location };
  });
}

/** Where the owner's files last set something of an app's. */
function lastSetting({ project }: Repo, app: string, name?: string) {
  const setting = project.config.settings.findLast(
    ({ app: owner, key }) => owner === app && (!name || key === null || key === name),
  );
  return setting && { file: setting.file, line: setting.line };
}

/** Log files of the default handler, of LoggerFileBackend and others. */
function logFiles(_: string, repo: Repo) {
  const settings = repo.project.config.settings.filter(
    ({ app, key, file }) => [app, key].includes('logger') && !/\/(dev|test)\.exs$/.test(file),
  );
  return settings.flatMap(({ value, key, file, line }) =>
    [...show(value).matchAll(/\b(?:path|file|dir): "([^"]+)"/g)]
      .map(([, path]) => ({ file, line, path, name: key ?? 'backend' }))
      .filter(({ path }) => !isWritable(repo, path)),
  );
}

/** Folders that the app's own settings name, such as Claper's uploads (ClaperCo/Claper#76). */
function ownFolders(_: string, repo: Repo) {
  const app = repo.project.app.otpApp;
  return pairs(repo.boot(PROBE).apps.get(app))
    .map(([key, value]) => ({ key, folder: show(value), ...lastSetting(repo, app, key) }))
    .filter(({ key }) => /(storage|upload|data|cache)\w*_(dir|path|folder|root)$/.test(key))
    .filter(({ folder }) => /^"(\/app\/|(\.\/)?priv\/)/.test(folder));
}

/** Calls that write, up to the path: `:dets.open_file(:cache, file: `, `{CubDB, data_dir: `; cp and rename write to their second one. */
const WRITES = new RegExp(
  [
    /\bFile\.(write|mkdir|mkdir_p|touch|open(?=.*:(write|append)))!?\(/,
    /\bFile\.(cp|cp_r|copy|rename)!?\(([^,(]|\([^)]*\))*, /,
    /:(disk_log\.open|dets\.open_file)\(.*\bfile: /,
    /\bCubDB\b.*\bdata_dir: /,
  ]
    .map(({ source }) => source)
    .join('|'),
);

/** `Path.join("uploads", name) |> File.write!(data)`: its path stands before the call. */
const PIPED = /^(?:.*(?: = |do: |-> ))? *(.+) \|> (File\.\w+!?\()/;

const LONGEST_LINE = 500;

/** The call of a line that writes, and its arguments from the path on. */
function writeIn(code: string): { name: string; path: string } | undefined {
  if (/^\s*#/.test(code)) return undefined;
  const text = code.slice(0, LONGEST_LINE).replace(PIPED, '$2$1');
  const call = WRITES.exec(text);
  if (!call) return undefined;
  const [name = ''] = /^:?[\w.]+!?/.exec(call[0]) ?? [];
  return { name, path: text.slice(call.index + call[0].length) };
}

const FOLDERS: [beginning: RegExp, name: string][] = [
  [/^"\/app\//, 'below /app'],
  [/\b(priv_dir|app_dir)\b|^(~c)?"(\.\/)?priv\//, 'below priv'],
  [/^(~c)?"(\.\/)?[a-z_]\w*(\/|" *$)/, 'below the working directory, /app'],
  [/^(~c)?"\/\w/, 'outside /tmp and the volumes'],
];

/** What a path begins with, by way of variables and attributes that the text sets: `"priv/uploads"` of `Path.join(@uploads, name)`. */
function beginningOf(path: string, text: string, depth = 0): string {
  const first = path
    .trim()
    .replace(/^(Path\.(join|expand|dirname)\(\[?)+/, '')
    // The default decides
    .replace(/^System\.get_env\("\w+"(, *|\) \|\| )/, '')
    .replace(/[,)\]|].*/, '');
  const name = first.trim();
  if (depth === 3 || !/^@?[a-z_]\w*$/.test(name)) return first;
  const [, value] = new RegExp(`^ *${name} (?:= )?(.+)$`, 'm').exec(text) ?? [];
  return value ? beginningOf(value, text, depth + 1) : first;
}

/** Lines of the app's own code that write where root alone may. */
function ownWrites(_: string, repo: Repo) {
  const { sources } = repo.project;
  const candidates = [...sources.matching(/File\.|:disk_log|:dets|CubDB/), repo.runtimePath];
  const files = candidates.filter((file) => !isMixTask(file, sources.text(file)));
  return files.flatMap((file) => {
    const lines = sources.text(file).split('\n');
    return lines.map((code, index) => {
      const write = writeIn(code);
      if (!write) return undefined;
      const nearby = [...lines.slice(Math.max(0, index - 50), index), ...lines.slice(0, 50)];
      const start = beginningOf(write.path, nearby.join('\n'));
      const [, folder] = FOLDERS.find(([beginning]) => beginning.test(start)) ?? [];
      if (!folder || isWritable(repo, start.replace(/^(~c)?"|"$/g, ''))) return undefined;
      const weight = folder === 'below /app' ? 'must' : 'should';
      return { file, line: index + 1, weight, name: write.name, folder };
    });
  });
}

/** Nothing is written below the release. */
export const readOnlyRules: readonly Rule<string>[] = [
  readOnlyImage.should({
    find: libraries,
    what: ({ app, stored }) =>
      `${app} writes ${stored} below its own folder or /app, and the app may not write to its folder in the image`,
    edit: ({ remedy }) => `${remedy}`,
  }),
  readOnlyImage.should({
    find: logFiles,
    what: ({ name, path }) =>
      `Logger's ${name} writes ${path}, and the app may not write to its folder in the image`,
    edit: 'log to standard output, which `fly logs` shows; or below /tmp',
  }),
  readOnlyImage.should({
    find: ownFolders,
    what: ({ key, folder }) =>
      `${key} is ${folder}, and the app may not write to its folder in the image`,
    edit: 'write to System.tmp_dir!() what may get lost, to object storage or a volume what may not',
  }),
  readOnlyImage.should({
    find: ownWrites,
    what: ({ name, folder }) =>
      `${name} writes ${folder}, where the image lets nobody but root write`,
    edit: 'write to System.tmp_dir!() what may get lost, to object storage or a volume what may not',
  }),
];
