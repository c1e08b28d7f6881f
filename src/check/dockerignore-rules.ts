import { basename, join } from 'node:path/posix';
import { dockerMatcher, neededPaths } from '../docker/ignore-lines.ts';
import { below, filesIn } from '../tree.ts';
import { copiedPaths, copiesPath, requiredFiles } from './build-inputs.ts';
import type { Repo } from './repo.ts';
import { type Rule, rulesFor } from './rule.ts';

const unwanted = rulesFor<Ignores>('B5');
const needed = rulesFor<Ignores>('B6');

/** What must stay out: a line that keeps it out, and paths that show whether one does. */
const UNWANTED: readonly [pattern: string, what: string, probes: string][] = [
  ['**/.env*', 'secrets in .env files', '.env .env.production apps/web/.env'],
  ['**/*.pem', 'private keys', 'priv/cert/selfsigned_key.pem key.pem'],
  ['**/*.key', 'private keys', 'server.key priv/tls/server.key'],
  ['**/*.secret.exs', 'secret settings', 'config/prod.secret.exs'],
  ['.git', 'the whole history of the code', '.git/objects/pack/pack-1.pack'],
  ['deps', 'dependencies of this computer', 'deps/phoenix/mix.exs'],
  ['_build', 'build output of this computer', '_build/prod/lib/x/ebin/x.app'],
  ['**/node_modules', 'packages of this computer', 'node_modules/a.js assets/node_modules/a.js'],
  ['test', 'tests', 'test/test_helper.exs'],
  ['fly.toml', 'a file that only flyctl reads', 'fly.toml'],
];

type Ignores = (path: string) => boolean;

const MOST_LINES = 1000;

const linesOf = ({ dockerignore }: Repo): string[] =>
  (dockerignore?.text ?? '').split(/\r?\n/, MOST_LINES);

/** The last line (1-based) that keeps a path out, or with `!` lets it in; 0: none. */
const lineFor = (repo: Repo, path: string, letsIn: boolean): number =>
  linesOf(repo).findLastIndex(
    (line) => line.startsWith('!') === letsIn && dockerMatcher(line.replace('!', ''))(path),
  ) + 1;

/** Unwanted files that get in, with the line that lets them in; 0: none keeps them out. */
function leaks(ignores: Ignores, repo: Repo) {
  const needed = [...repo.project.config.files, ...neededPaths(repo.project)];
  const isNeeded = (path: string) => needed.some((folder) => `${path}/`.startsWith(`${folder}/`));
  return UNWANTED.flatMap(([pattern, what, probes]) => {
    const probe = probes.split(' ').find((path) => !ignores(path) && !isNeeded(path));
    return probe === undefined ? [] : { pattern, what, probe, line: lineFor(repo, probe, true) };
  });
}

function notKeptOut(ignores: Ignores, repo: Repo) {
  const open = leaks(ignores, repo).filter(({ line }) => line === 0);
  if (open.length === 0) return undefined;
  const isHarmless = open.every(({ pattern }) => pattern === 'test' || pattern === 'fly.toml');
  return {
    line: 1,
    weight: isHarmless ? 'advice' : 'should',
    files: open.map(({ what, probe }) => `${what} (${probe})`).join(', '),
    patterns: open.map(({ pattern }) => pattern).join('\n'),
  };
}

type NeededFile = { path: string; why: string };

function keptOut(ignores: Ignores, repo: Repo) {
  const files: NeededFile[] = [
    ...publicKeys(repo).map((path) => ({ path, why: 'the code names it, and it is public' })),
    ...copiesWithoutFiles(ignores, repo),
    ...lockfiles(repo).map((path) => ({ path, why: 'packages are installed from it' })),
    ...migrations(repo).map((path) => ({ path, why: 'migrations run in the image' })),
    ...requiredFiles(repo),
  ];
  const lost = files.filter(({ path }) => ignores(path));
  return [...new Map(lost.map(({ path, why }) => [path, why]))].map(([path, why]) => {
    const line = lineFor(repo, path, false);
    return { line, path, why, pattern: linesOf(repo)[line - 1] ?? '' };
  });
}

/** One file of each COPY of the Dockerfile whose files are all kept out. */
const copiesWithoutFiles = (ignores: Ignores, { project, dockerfile }: Repo): NeededFile[] =>
  (dockerfile ? copiedPaths(dockerfile.content) : []).flatMap(({ path, line }) => {
    const files = filesIn(project.tree, path);
    const [first] = files;
    if (first === undefined || !files.every(ignores)) return [];
    return { path: first, why: `line ${line} of the Dockerfile copies it` };
  });

/** One migration of each folder: a database has its own. */
function migrations({ project }: Repo): string[] {
  const inPriv = project.projects.flatMap(({ dir }) => filesIn(project.tree, below(dir, 'priv')));
  const files = inPriv.filter((path) => /\/migrations\/.*\.exs$/.test(path));
  return [...new Map(files.map((path) => [path.replace(/\/migrations\/.*/, ''), path])).values()];
}

/** Lockfiles beside each package.json that the Dockerfile copies by its own name or folder. */
function lockfiles({ project, dockerfile }: Repo): string[] {
  const steps = dockerfile?.content.steps.filter((step) => !step.sources.includes('.')) ?? [];
  return project.assets.nodePackages
    .filter(({ file }) => steps.some((step) => copiesPath(step, file)))
    .flatMap(({ dir, lockfile, workspaceDir }) =>
      lockfile ? join(workspaceDir ?? dir, lockfile) : [],
    );
}

/** Certificates and public keys in priv that the code names; private ones stay out. */
function publicKeys({ project }: Repo): string[] {
  const { tree } = project;
  const code = [...tree.paths].filter((path) => /(^|\/)lib\/.*\.ex$/.test(path));
  return neededPaths(project)
    .filter((path) => /(^|\/)priv\/.*\.pem$/.test(path))
    .filter((key) => code.some((path) => tree.read(path)?.includes(basename(key))));
}

/** B5, B6: secrets and what this computer built stay out of the build, and so out of the image; what it reads stays in. */
export const dockerignoreRules: readonly Rule[] = [
  unwanted.should({
    find: (ignores, repo) => leaks(ignores, repo).filter(({ line }) => line),
    what: ({ what, probe }) => `${what} (${probe}) can get into the image`,
    edit: ({ pattern }) => `remove this line, or name what you need of ${pattern} in it`,
  }),
  unwanted.should({
    find: notKeptOut,
    what: ({ files }) => `not kept out: ${files}`,
    edit: ({ patterns }) => ['add at the top:', `${patterns}`],
  }),
  needed.must({
    find: keptOut,
    what: ({ path, why }) => `${path} never reaches the build: ${why}`,
    edit: ({ pattern, path }) => `remove the line \`${pattern}\`, or add !${path} at the end`,
  }),
];
