import { atomName, moduleName, pairs, show, type Value } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { usesMnesia } from './env-sh.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';
import { missingTzdata } from './runtime-app.ts';
import { PROBE, settingAt } from './runtime-settings.ts';

/** What would write below the release, which belongs to root: `what` writes where, and the remedy. */
interface Writer {
  file?: string;
  line?: number | undefined;
  weight?: string;
  what: string;
  remedy: string;
}

const ELSEWHERE =
  'write to System.tmp_dir!() what may get lost, to object storage or a volume what may not';

/** Folders that a machine's user can write to: /tmp, and volumes once they are given to it. */
function isWritable({ fly }: Repo, path: Value | undefined): boolean {
  const volumes = fly ? tablesAt(fly.table, 'mounts').map(({ data }) => data.destination) : [];
  return ['/tmp', '/dev/', ...volumes].some((folder) => String(path).startsWith(String(folder)));
}

const isUsed: Readonly<Record<string, (repo: Repo) => boolean>> = {
  tzdata: (repo) =>
    repo.project.lock.has('tzdata') &&
    atomName(settingAt(repo, ['tzdata', 'autoupdate'])) !== 'disabled',
  tz: ({ project: { sources } }) =>
    sources.matching(/Tz\.(Update|Watch)Periodically/)[0] !== undefined,
  mnesia: usesMnesia,
  waffle: (repo) => storesHere(repo, 'waffle'),
  arc: (repo) => storesHere(repo, 'arc'),
  ra: ({ project }) => project.lock.has('ra'),
};

const storesHere = (repo: Repo, app: string): boolean =>
  /\.Storage\.Local$/.test(moduleName(settingAt(repo, [app, 'storage'])) ?? '');

/** Libraries that write below the release unless a setting names another folder. */
const LIBRARIES: [app: string, folder: string, what: string, remedy: string][] = [
  ['tzdata', 'data_dir', 'new time zones', 'config :tzdata, :autoupdate, :disabled'],
  ['tz', 'data_dir', 'new time zones', 'config :tz, :data_dir, "/tmp/tz"'],
  [
    'mnesia',
    'dir',
    'what it keeps on disc',
    'config :mnesia, dir: ~c"/data/mnesia" with a volume at /data ([mounts] in fly.toml), and once, as root: chown 65534 /data',
  ],
  // Khepri stands on it
  [
    'ra',
    'data_dir',
    'its log',
    'config :ra, data_dir: ~c"/data/ra" with a volume at /data ([mounts] in fly.toml), and once, as root: chown 65534 /data',
  ],
  [
    'waffle',
    'storage_dir_prefix',
    'uploads',
    'config :waffle, storage: Waffle.Storage.S3, or a storage_dir_prefix on a volume',
  ],
  ['arc', 'storage_dir', 'uploads', 'config :arc, storage: Arc.Storage.S3'],
];

const libraries = (repo: Repo): Writer[] =>
  LIBRARIES.filter(
    ([app, folder]) => isUsed[app]?.(repo) && !isWritable(repo, settingAt(repo, [app, folder])),
  ).map(([app, , what, remedy]) => {
    const { file = 'mix.lock', line } = placeIn(repo, app) ?? {};
    const isOurs = app === 'tzdata' && missingTzdata(repo);
    return {
      file,
      line,
      weight: app === 'tzdata' ? 'must' : 'should',
      what: `${app} writes ${what} below its own folder or /app`,
      remedy: isOurs ? `${remedy}; \`npx plop runtime-exs\` writes it` : remedy,
    };
  });

const placeIn = ({ project }: Repo, app: string, key?: string) =>
  project.config.settings.findLast(
    (one) => one.app === app && (key === undefined || one.key === key || one.key === null),
  );

/** Log files of the default handler, of LoggerFileBackend and others. */
const logFiles = (repo: Repo): Writer[] =>
  repo.project.config.settings
    .filter(
      ({ app, key, file }) => [app, key].includes('logger') && !/\/(dev|test)\.exs$/.test(file),
    )
    .flatMap(({ value, key, file, line }) =>
      [...show(value).matchAll(/\b(?:path|file|dir): "([^"]+)"/g)]
        .filter(([, path]) => !isWritable(repo, path))
        .map(([, path]) => ({
          file,
          line,
          what: `Logger's ${key ?? 'backend'} writes ${path}`,
          remedy: 'log to standard output, which `fly logs` shows; or below /tmp',
        })),
    );

/** Folders that the app's own settings name: ClaperCo/Claper#76. */
function ownFolders(repo: Repo): Writer[] {
  const app = repo.project.app.otpApp;
  return pairs(repo.boot(PROBE).apps.get(app))
    .filter(([key]) => /(storage|upload|data|cache)\w*_(dir|path|folder|root)$/.test(key))
    .filter(([, value]) => /^"(\/app\/|(\.\/)?priv\/)/.test(show(value)))
    .map(([key, value]) => {
      const { file, line } = placeIn(repo, app, key) ?? {};
      return { file, line, what: `${key} is ${show(value)}`, remedy: ELSEWHERE };
    });
}

/** A call that writes, up to the path: that of cp and rename is the second one. */
const WRITES =
  /(\bFile\.(?:write|mkdir|mkdir_p|touch|open(?=.*:(?:write|append)))!?\(|\bFile\.(?:cp|cp_r|copy|rename)!?\((?:[^,(]|\([^)]*\))*, |:(?:disk_log\.open|dets\.open_file)\(.*\bfile: |\bCubDB\b.*\bdata_dir: )(.+)/;

/** `Path.join("uploads", name) |> File.write!(data)`: its path stands before the call. */
const PIPED = /^(?:.*(?: = |do: |-> ))? *(.+) \|> (File\.\w+!?\()/;

const LONGEST_LINE = 500;

const FOLDERS: [begins: RegExp, name: string][] = [
  [/^"\/app\//, 'below /app'],
  [/\b(priv_dir|app_dir)\b|^(~c)?"(\.\/)?priv\//, 'below priv'],
  [/^(~c)?"(\.\/)?[a-z_]\w*(\/|" *$)/, 'below the working directory, /app'],
];

/** What a path begins with, by way of variables and attributes of the lines above. */
function beginning(path: string, text: string, depth = 0): string {
  const [, first = ''] = /^(?:Path\.(?:join|expand)\(\[?)*([^,)\]|]*)/.exec(path.trim()) ?? [];
  const name = /^@?[a-z_]\w*$/.test(first.trim()) ? first.trim() : '@';
  const [, held] = new RegExp(`^ *${name} (?:= )?(.+)$`, 'm').exec(text) ?? [];
  return held && depth < 3 ? beginning(held, text, depth + 1) : first;
}

/** Own code that writes below /app, or into priv. */
const ownWrites = ({ project: { sources } }: Repo): Writer[] =>
  sources
    .matching(/File\.|:disk_log|:dets|CubDB/)
    .filter((file) => !/(^|\/)mix\//.test(file))
    .flatMap((file) => {
      const lines = sources.text(file).split('\n');
      return lines.flatMap((code, index) => {
        const line = code.slice(0, LONGEST_LINE).replace(PIPED, '$2$1');
        const [, call = '', path = ''] = WRITES.exec(line) ?? [];
        const near = [...lines.slice(Math.max(0, index - 50), index), ...lines.slice(0, 50)];
        const start = path && beginning(path, near.join('\n'));
        const [, folder] = FOLDERS.find(([begins]) => begins.test(start)) ?? [];
        if (!folder || /^\s*#/.test(code)) return [];
        const what = `${/^:?[\w.]+!?/.exec(call)} writes ${folder}`;
        const weight = folder === 'below /app' ? 'must' : 'should';
        return [{ file, line: index + 1, what, weight, remedy: ELSEWHERE }];
      });
    });

/** B13: nothing is written below the release. */
export const readOnlyRules: readonly Rule<string>[] = [
  libraries,
  logFiles,
  ownFolders,
  ownWrites,
].map(
  (find) =>
    rulesFor(RUNTIME_EXS, 'B13').should((_, repo) =>
      find(repo),
    )`${'what'}, and the app may not write to its folder in the image
    => ${'remedy'}`,
);
