import { basename, join } from 'node:path/posix';
import { neededPaths } from '../docker/ignore-lines.ts';
import { below } from '../tree.ts';
import { brings, copied, inputs } from './build-inputs.ts';
import { matcher, type Repo } from './repo.ts';
import { DOCKERIGNORE } from './requirements.ts';
import { type Rule, rulesFor } from './rule.ts';

const b5 = rulesFor(DOCKERIGNORE, 'B5');
const b6 = rulesFor(DOCKERIGNORE, 'B6');

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

/** The last line (from 1) that keeps a path out, or with ! lets it in; 0: none. */
const lineFor = ({ dockerignore }: Repo, path: string, letsIn: boolean): number =>
  (dockerignore?.text ?? '')
    .split(/\r?\n/, MOST_LINES)
    .findLastIndex(
      (line) => line.startsWith('!') === letsIn && matcher(line.replace('!', ''))(path),
    ) + 1;

/** What gets in, with the line that lets it in; 0: none keeps it out. */
function leaks(ignores: Ignores, repo: Repo) {
  const wanted = [...repo.project.config.files, ...neededPaths(repo.project)];
  return UNWANTED.flatMap(([pattern, what, probes]) => {
    const probe = probes
      .split(' ')
      .find((path) => !ignores(path) && !wanted.some((one) => `${path}/`.startsWith(`${one}/`)));
    return probe === undefined ? [] : { pattern, what, probe, line: lineFor(repo, probe, true) };
  });
}

/** What the build reads or copies and what the file keeps out, by one of its paths, with the reason. */
function keptOut(ignores: Ignores, repo: Repo) {
  const { project, dockerfile } = repo;
  const lost = [
    ...publicKeys(repo).map((path) => ({ path, why: 'the code names it, and it is public' })),
    ...(dockerfile ? copied(dockerfile.file) : []).flatMap(({ path, line }) => {
      const files = [...project.tree.paths].filter((one) => `${one}/`.startsWith(`${path}/`));
      const why = `line ${line} of the Dockerfile copies it`;
      return files.every(ignores) ? files.slice(0, 1).map((one) => ({ path: one, why })) : [];
    }),
    ...lockfiles(repo).map((path) => ({ path, why: 'packages are installed from it' })),
    ...migrations(repo).map((path) => ({ path, why: 'migrations run in the image' })),
    ...inputs(repo),
  ].filter(({ path }) => ignores(path));
  return [...new Map(lost.map(({ path, why }) => [path, why]))].map(([path, why]) => {
    const line = lineFor(repo, path, false);
    return { line, path, why, pattern: repo.dockerignore?.text.split(/\r?\n/)[line - 1] };
  });
}

/** One of each repo's. */
function migrations({ project }: Repo): string[] {
  const folders = project.projects.map(({ dir }) => `${below(dir, 'priv')}/`);
  const found = [...project.tree.paths].flatMap((path): [string, string][] => {
    const [, folder] = /^(.*\/migrations)\/.*\.exs$/.exec(path) ?? [];
    return folder && folders.some((priv) => path.startsWith(priv)) ? [[folder, path]] : [];
  });
  return [...new Map(found).values()];
}

/** Lockfiles beside each package.json that the Dockerfile copies by its own name or folder. */
function lockfiles({ project, dockerfile }: Repo): string[] {
  const steps = dockerfile?.file.steps.filter((step) => !step.sources.includes('.')) ?? [];
  return project.assets.nodePackages.flatMap(({ file, dir, lockfile, workspaceDir }) =>
    lockfile && steps.some((step) => brings(step, file)) ? join(workspaceDir ?? dir, lockfile) : [],
  );
}

/** Certificates and public keys in priv that the code names; private ones stay out. */
function publicKeys({ project }: Repo): string[] {
  const { tree } = project;
  const isNamed = (key: string) =>
    [...tree.paths].some(
      (path) => /(^|\/)lib\/.*\.ex$/.test(path) && tree.read(path)?.includes(basename(key)),
    );
  return neededPaths(project).filter((path) => /(^|\/)priv\/.*\.pem$/.test(path) && isNamed(path));
}

/** B5, B6: secrets and what this computer built stay out of the build, and so out of the image; what it reads stays in. */
export const dockerignoreRules: readonly Rule[] = [
  b5.should((ignores, repo) =>
    leaks(ignores, repo).filter(({ line }) => line),
  )`${'what'} (${'probe'}) can get into the image
    => remove this line, or name what you need of ${'pattern'} in it`,
  b5.should((ignores, repo) => {
    const open = leaks(ignores, repo).filter(({ line }) => line === 0);
    const harmless = open.every(({ pattern }) => /^(test|fly\.toml)$/.test(pattern));
    const weight = harmless ? 'advice' : 'should';
    const all = open.map(({ what, probe }) => `${what} (${probe})`).join(', ');
    const patterns = open.map(({ pattern }) => pattern).join('\n');
    return all && { line: 1, weight, all, patterns };
  })`not kept out: ${'all'}
    => add at the top:
      ${'patterns'}`,
  b6.must(keptOut)`${'path'} never reaches the build: ${'why'}
    => remove the line \`${'pattern'}\`, or add !${'path'} at the end`,
];
