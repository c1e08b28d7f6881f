import { join } from 'node:path/posix';
import { neededPaths } from '../docker/ignore-lines.ts';
import { copied, inputs } from './build-inputs.ts';
import { brings } from './dockerfile-build.ts';
import { sourcesOf } from './dockerfile-model.ts';
import { matcher, type Repo } from './repo.ts';
import { DOCKERIGNORE } from './requirements.ts';
import { type Rule, rulesFor, type Weight, when } from './rule.ts';

const b5 = rulesFor(DOCKERIGNORE, 'B5');
const b6 = rulesFor(DOCKERIGNORE, 'B6');

/** What must stay out: a line that keeps it out, and paths that show whether one does. */
const UNWANTED: readonly [line: string, what: string, probes: string, weight: Weight][] = [
  ['**/.env*', 'secrets in .env files', '.env .env.production apps/web/.env', 'should'],
  ['**/*.pem', 'private keys', 'priv/cert/selfsigned_key.pem key.pem', 'should'],
  ['**/*.key', 'private keys', 'server.key priv/tls/server.key', 'should'],
  ['**/*.secret.exs', 'secret settings', 'config/prod.secret.exs', 'should'],
  ['.git', 'the whole history of the code', '.git/objects/pack/pack-1.pack', 'should'],
  ['deps', 'dependencies of this computer', 'deps/phoenix/mix.exs', 'should'],
  ['_build', 'build output of this computer', '_build/prod/lib/x/ebin/x.app', 'should'],
  [
    '**/node_modules',
    'packages of this computer',
    'node_modules/x/a.js assets/node_modules/x/a.js',
    'should',
  ],
  ['test', 'tests', 'test/test_helper.exs', 'advice'],
  ['fly.toml', 'a file that only flyctl reads', 'fly.toml', 'advice'],
];

type Ignores = (path: string) => boolean;

/** What gets in, and whether a line at the top would keep it out: a later one with ! may let it in again. */
function leaks({ project, dockerignore }: Repo, ignores: Ignores) {
  const text = dockerignore?.text ?? '';
  const needed = neededPaths(project);
  return UNWANTED.flatMap(([pattern, what, list, weight]) => {
    const probes = list.split(' ');
    const wanted = (path: string) =>
      project.config.files.includes(path) ||
      needed.some((one) => path === one || path.startsWith(`${one}/`));
    const probe = probes.find((path) => !wanted(path) && !ignores(path));
    if (probe === undefined) return [];
    const lines = `${pattern}\n${text}`;
    const letIn = probes.every((path) => !matcher(lines)(path));
    const line = letIn ? culpritIn(lines)(probe, false) - 1 : 1;
    return [{ line, weight, pattern, what, probe, letIn }];
  });
}

/** Finds the last line that keeps a path out, or lets it in (1-based). */
function culpritIn(text: string): (path: string, out: boolean) => number {
  const lines = text.split(/\r?\n/, MOST_LINES).map((line) => ({
    lets: line.startsWith('!'),
    fits: matcher(line.replace(/^!/, '')),
  }));
  return (path, out) => {
    let now = false;
    let last = 0;
    for (const [index, { lets, fits }] of lines.entries()) {
      if (now === !lets || !fits(path)) continue;
      now = !lets;
      if (now === out) last = index + 1;
    }
    return last;
  };
}
const MOST_LINES = 1000;

/** What the build reads or copies and what the file keeps out, by one of its paths, with the reason. */
function keptOut(repo: Repo, ignores: Ignores): Map<string, string> {
  const { project, dockerfile } = repo;
  const paths = [...project.tree.paths];
  const because = (found: readonly string[], why: string): [string, string][] =>
    found.filter(ignores).map((path) => [path, why]);
  return new Map([
    ...because(publicKeys(repo), 'the code names it, and it is public'),
    ...(dockerfile ? copied(dockerfile.file) : []).flatMap(({ path, line }) => {
      const files = paths.filter((one) => one === path || one.startsWith(`${path}/`));
      const none = files.length > 0 && files.every(ignores);
      return none ? because(files.slice(0, 1), `line ${line} of the Dockerfile copies it`) : [];
    }),
    ...because(lockfiles(repo), 'packages are installed from it'),
    ...inputs(repo).flatMap(({ path, why }) => because([path], why)),
  ]);
}

/** Lockfiles beside each package.json that the Dockerfile copies by its own name or folder. */
function lockfiles({ project, dockerfile }: Repo): string[] {
  const steps = dockerfile ? dockerfile.file.stages.flatMap(({ own }) => own) : [];
  return project.assets.nodePackages.flatMap(({ file, dir, lockfile, workspaceDir }) => {
    const copies = steps.some((step) => brings(step, file) && !sourcesOf(step).includes('.'));
    return copies && lockfile ? join(workspaceDir ?? dir, lockfile) : [];
  });
}

/** Certificates and public keys that the code names; private ones stay out. */
function publicKeys({ project: { tree } }: Repo): string[] {
  const keys = [...tree.paths].filter(
    (path) =>
      /(^|\/)priv\/.*\.pem$/.test(path) && !/PRIVATE KEY/.test(tree.read(path) ?? 'PRIVATE KEY'),
  );
  const code = keys.length ? [...tree.paths].filter((path) => /(^|\/)lib\/.*\.ex$/.test(path)) : [];
  return keys.filter((key) =>
    code.some((path) => tree.read(path)?.includes(key.split('/').at(-1) ?? key)),
  );
}

/** Of one weight, what a few lines at the top would keep out. */
const notKeptOut = (repo: Repo, ignores: Ignores) =>
  (['should', 'advice'] as const).flatMap((weight) => {
    const all = leaks(repo, ignores).filter((leak) => !leak.letIn && leak.weight === weight);
    return when(all.length, { line: 1, weight, all });
  });

/** B5, B6: secrets and what this computer built stay out of the build, and so out of the image; what it reads stays in. */
export const dockerignoreRules: readonly Rule[] = [
  b5.should(
    (ignores, repo) => leaks(repo, ignores).filter(({ letIn }) => letIn),
    ({ what, probe }) => `${what} (${probe}) can get into the image`,
    ({ pattern }) => `remove this line, or name what you need of ${pattern} in it`,
  ),
  b5.should(
    (ignores, repo) => notKeptOut(repo, ignores),
    ({ all }) => `not kept out: ${all.map(({ what, probe }) => `${what} (${probe})`).join(', ')}`,
    ({ all }) => ['add at the top:', ...all.map(({ pattern }) => pattern)].join('\n'),
  ),
  b6.must(
    (ignores, repo) => {
      const text = repo.dockerignore?.text ?? '';
      const culprit = culpritIn(text);
      return [...keptOut(repo, ignores)].map(([path, why]) => {
        const line = culprit(path, true);
        return { line, path, why, pattern: text.split(/\r?\n/)[line - 1] };
      });
    },
    ({ path, why }) => `${path} never reaches the build: ${why}`,
    ({ path, pattern }) => `remove the line \`${pattern}\`, or add !${path} at the end`,
  ),
];
