import { inputs } from './dockerfile-inputs.ts';
import { matcher, type Read, type Repo } from './repo.ts';
import { type Findings, found } from './verdict.ts';

type File = Read<(path: string) => boolean>;

/** What must stay out: a line that keeps it out, and paths that show whether one does. */
const OUT: [line: string, what: string, probes: string[]][] = [
  ['**/.env*', 'secrets in .env files', ['.env', '.env.production', 'apps/web/.env']],
  ['**/*.pem', 'private keys', ['priv/cert/selfsigned_key.pem', 'key.pem']],
  ['**/*.key', 'private keys', ['server.key', 'priv/tls/server.key']],
  ['**/*.secret.exs', 'secret settings', ['config/prod.secret.exs']],
  ['.git', 'the whole history of the code', ['.git/objects/pack/pack-1.pack']],
  ['deps', 'dependencies of this computer', ['deps/phoenix/mix.exs']],
  ['_build', 'build output of this computer', ['_build/prod/lib/phoenix/ebin/phoenix.app']],
  [
    '**/node_modules',
    'packages of this computer',
    ['node_modules/esbuild/package.json', 'assets/node_modules/esbuild/package.json'],
  ],
  ['test', 'tests', ['test/test_helper.exs']],
  ['fly.toml', 'a file that only flyctl reads', ['fly.toml']],
];

/** Secrets and what this computer built stay out of the build, and so out of the image. */
export function keepsOut({ project }: Repo, { path, text, file }: File): Findings {
  const wanted = new Set(project.config.files);
  const leaking = OUT.filter(([, , probes]) =>
    probes.some((probe) => !wanted.has(probe) && !file(probe)),
  );
  // A later line with ! lets it in again: ours at the top would not help
  const letIn = leaking.filter(([line, , probes]) =>
    probes.every((probe) => !matcher(`${line}\n${text}`)(probe)),
  );
  const leaks = leaking.filter((one) => !letIn.includes(one));
  const again = letIn.map(([line, what, [probe = '']]) => ({
    what: `${what} (${probe}) can get into the image`,
    edit: `remove this line, or name what you need of ${line} in it`,
    file: path,
    line: culprit(`${line}\n${text}`, probe, false) - 1,
  }));
  if (leaks.length === 0) return found(again);
  const names = [
    ...new Set(
      leaks.map(([, what, probes]) => `${what} (${probes.find((probe) => !file(probe))})`),
    ),
  ];
  return found([
    ...again,
    {
      what: `not kept out: ${names.join(', ')}`,
      edit: ['add at the top:', ...leaks.map(([line]) => line)].join('\n'),
      file: path,
      line: 1,
    },
  ]);
}

/** Nothing that the build reads is kept out. */
export function keepsIn(repo: Repo, { path, text, file }: File): Findings {
  const needed = new Map(inputs(repo).map((input) => [input.path, input.why]));
  return found(
    [...needed]
      .filter(([one]) => file(one))
      .map(([one, why]) => {
        const line = culprit(text, one);
        return {
          what: `${one} never reaches the build: ${why}`,
          edit: `remove the line \`${text.split(/\r?\n/)[line - 1] ?? ''}\`, or add !${one} at the end`,
          file: path,
          line,
        };
      }),
  );
}

/** The last line that keeps a path out, or lets it in (1-based). */
function culprit(text: string, path: string, out = true): number {
  const lines = text.split(/\r?\n/);
  const turns = lines.map((_, index) => matcher(lines.slice(0, index + 1).join('\n'))(path));
  return (
    turns.findLastIndex((now, index) => now === out && (turns[index - 1] ?? false) !== out) + 1
  );
}
