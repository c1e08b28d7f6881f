import { atomName, moduleName, pairs, show, type Value } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { usesMnesia } from './env-sh.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';
import { missingTzdata } from './runtime-app.ts';
import { PROBE, settingAt } from './runtime-settings.ts';

const b13 = rulesFor(RUNTIME_EXS, 'B13');

const onVolume = (setting: string, name: string): string =>
  `config :${setting}: ~c"/data/${name}" with a volume at /data ([mounts] in fly.toml), and once, as root: chown 65534 /data`;

/** Folders that a machine's user can write to: /tmp, and volumes once they are given to it. */
function isWritable({ fly }: Repo, path: Value | undefined): boolean {
  const volumes = fly ? tablesAt(fly.table, 'mounts').map(({ data }) => data.destination) : [];
  return ['/tmp', '/dev/', ...volumes].some((folder) => String(path).startsWith(String(folder)));
}

const storesHere = (repo: Repo, app: string): boolean =>
  /\.Storage\.Local$/.test(moduleName(settingAt(repo, [app, 'storage'])) ?? '');

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
  ['arc', 'storage_dir', 'uploads', 'config :arc, storage: Arc.Storage.S3'],
];

function isUsed(repo: Repo, app: string): boolean {
  const { lock, sources } = repo.project;
  if (app === 'tz') return sources.matching(/Tz\.(Update|Watch)Periodically/).length > 0;
  if (app === 'mnesia') return usesMnesia(repo);
  if (app === 'ra') return lock.has('ra');
  if (app !== 'tzdata') return storesHere(repo, app);
  return lock.has('tzdata') && atomName(settingAt(repo, ['tzdata', 'autoupdate'])) !== 'disabled';
}

const libraries = (_: string, repo: Repo) =>
  LIBRARIES.filter(
    ([app, folder]) => isUsed(repo, app) && !isWritable(repo, settingAt(repo, [app, folder])),
  ).map(([app, , stored, remedy]) => {
    const ours =
      app === 'tzdata' && missingTzdata(repo) ? '; `npx plop runtime-exs` writes it' : '';
    const weight = app === 'tzdata' ? 'must' : 'should';
    const file = 'mix.lock';
    return { weight, app, stored, remedy: remedy + ours, file, ...placeAt(repo, app) };
  });

/** Where the owner's files last set something of an app's. */
const placeAt = ({ project }: Repo, app: string, key?: string) =>
  project.config.settings
    .filter((one) => one.app === app && [null, key ?? one.key].includes(one.key))
    .map(({ file, line }) => ({ file, line }))
    .at(-1);

/** Log files of the default handler, of LoggerFileBackend and others. */
const logFiles = (_: string, repo: Repo) =>
  repo.project.config.settings
    .filter(
      ({ app, key, file }) => [app, key].includes('logger') && !/\/(dev|test)\.exs$/.test(file),
    )
    .flatMap(({ value, key, file, line }) =>
      [...show(value).matchAll(/\b(?:path|file|dir): "([^"]+)"/g)]
        .map(([, path]) => ({ file, line, path, name: key ?? 'backend' }))
        .filter(({ path }) => !isWritable(repo, path)),
    );

/** Folders that the app's own settings name: ClaperCo/Claper#76. */
function ownFolders(_: string, repo: Repo) {
  const app = repo.project.app.otpApp;
  return pairs(repo.boot(PROBE).apps.get(app))
    .map(([key, value]) => ({ key, folder: show(value), ...placeAt(repo, app, key) }))
    .filter(({ key }) => /(storage|upload|data|cache)\w*_(dir|path|folder|root)$/.test(key))
    .filter(({ folder }) => /^"(\/app\/|(\.\/)?priv\/)/.test(folder));
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
  [/^(~c)?"\/\w/, 'outside /tmp and the volumes'],
];

/** Skips `Path.join(` and `System.get_env("X", ` so that the default's text is judged. */
const BEGINNING =
  /^(?:Path\.(?:join|expand|dirname)\(\[?)*(?:System\.get_env\("\w+"(?:, *|\) \|\| ))?([^,)\]|]*)/;

/** What a path begins with, by way of variables and attributes of the lines above. */
function beginning(path: string, text: string, depth = 0): string {
  const [, first = ''] = BEGINNING.exec(path.trim()) ?? [];
  const name = /^@?[a-z_]\w*$/.test(first.trim()) ? first.trim() : '@';
  const [, held] = new RegExp(`^ *${name} (?:= )?(.+)$`, 'm').exec(text) ?? [];
  return held && depth < 3 ? beginning(held, text, depth + 1) : first;
}

/** Own code that writes where root alone may. */
const ownWrites = (_: string, repo: Repo) =>
  [...repo.project.sources.matching(/File\.|:disk_log|:dets|CubDB/), repo.runtimePath]
    .filter((file) => !/(^|\/)mix\//.test(file))
    .flatMap((file) => {
      const lines = repo.project.sources.text(file).split('\n');
      return lines.map((code, index) => {
        const text = code.slice(0, LONGEST_LINE).replace(PIPED, '$2$1');
        const [, call = '', path = ''] = /^\s*#/.test(code) ? [] : (WRITES.exec(text) ?? []);
        const near = [...lines.slice(Math.max(0, index - 50), index), ...lines.slice(0, 50)];
        const start = path && beginning(path, near.join('\n'));
        const [, folder] = FOLDERS.find(([begins]) => begins.test(start)) ?? [];
        const weight = folder === 'below /app' ? 'must' : 'should';
        const name = /^:?[\w.]+!?/.exec(call)?.[0];
        const isOpen = isWritable(repo, start.replace(/^(~c)?"|"$/g, ''));
        return folder && !isOpen && { file, line: index + 1, weight, name, folder };
      });
    });

/** Nothing is written below the release. */
export const readOnlyRules: readonly Rule<string>[] = [
  b13.should(libraries)`
    ${'app'} writes ${'stored'} below its own folder or /app, and the app may not write to its folder in the image
    => ${'remedy'}`,
  b13.should(logFiles)`
    Logger's ${'name'} writes ${'path'}, and the app may not write to its folder in the image
    => log to standard output, which \`fly logs\` shows; or below /tmp`,
  b13.should(ownFolders)`
    ${'key'} is ${'folder'}, and the app may not write to its folder in the image
    => write to System.tmp_dir!() what may get lost, to object storage or a volume what may not`,
  b13.should(ownWrites)`${'name'} writes ${'folder'}, where the image lets nobody but root write
    => write to System.tmp_dir!() what may get lost, to object storage or a volume what may not`,
];
