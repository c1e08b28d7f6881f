import { brings } from './build-inputs.ts';
import { builderElixir } from './dockerfile-base.ts';
import { type Dockerfile, last, packages, startLine } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const r12 = rulesFor(DOCKERFILE, 'R1.2');
const r13 = rulesFor(DOCKERFILE, 'R1.3');
const b2 = rulesFor(DOCKERFILE, 'B2');

const ELIXIR = /(^|\/)(elixir|erlang)(:|$)/;
const COMPILERS = /^(build-(base|essential)|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/;

/** What of the last stage's steps only a build needs. */
function superfluous({ build, final }: Dockerfile, { project, release }: Repo) {
  const home = last(build.stage, 'WORKDIR')?.words[0];
  const isBuild = (path: string) => path === home || /(^|\/)(deps|node_modules)$/.test(path);
  return (build.stage === final ? [] : final.steps).flatMap((step) => {
    const copied = step.from === build.stage ? step.words.slice(0, -1).filter(isBuild) : [];
    const what = [
      ...step.tasks.map((task) => `Mix (mix ${task})`),
      ...(brings(step, project.endpoint.file) ? ['the sources'] : []),
      ...copied.map((path) => `all of ${path}`),
      ...packages([step]).filter((name) => COMPILERS.test(name)),
    ];
    return what.length && { line: step.line, what: what.join(', '), release };
  });
}

/** R1.2: the image holds the release, and no compiler, source, Mix, Hex or cache. */
const stageRules: readonly Rule[] = [
  r12.should(
    ({ build, final }) => (build.stage === final || ELIXIR.test(final.root.image)) && final,
    'the image has the compiler, Mix and Hex',
    'add a last stage on a plain operating system (FROM alpine:… or debian:…-slim) that copies the release',
  ),
  r12.should(
    superfluous,
    ({ what }) => `the image has what only a build needs: ${what}`,
    ({ release }) =>
      `leave it to the builder stage; the image only needs .../_build/prod/rel/${release}`,
  ),
  r12.advice(
    ({ stages }, { project }) =>
      !project.assets.packageJsons.length &&
      stages.find(({ root }) => /(^|\/)(node|oven\/bun)(:|$)/.test(root.image)),
    'a Node stage, but no package.json asks for one',
    'remove the stage and what copies from it',
  ),
];

/**
 * What a release links to, what brings it, and whether the VM starts without. Debian's images have the C++ library and
 * ncurses (apt and bash link to them), all but bookworm's OpenSSL too (coreutils).
 */
const LIBRARIES: [system: RegExp, weight: Weight, name: string, brought: RegExp, what: string][] = [
  [/^/, 'should', 'ca-certificates', /^ca-certificates/, 'no TLS connection can be verified'],
  // Erlang before OTP 24 compiles nothing at run time
  [
    /alpine(?!.* elixir 1\.(\d|1[01])\b)/,
    'must',
    'libstdc++',
    /^(libstdc\+\+|g\+\+|build-base|nodejs)/,
    'the VM needs it',
  ],
  [/alpine/, 'must', 'ncurses-libs', /^(ncurses|bash$|postgresql\d*-client)/, 'the VM needs it'],
  [/alpine/, 'should', 'openssl', /^(openssl|libssl|libcrypto)/, 'Erlang links to it'],
  [/bookworm/, 'must', 'openssl', /^(openssl|libssl|curl$|ca-certificates)/, 'Erlang links to it'],
];

function lacking(file: Dockerfile) {
  const { root, steps, line } = file.final;
  if (/elixir|erlang/.test(root.image)) return [];
  if (!root.system) return new Doubt(`what ${root.image} brings can't be told from its name`);
  const text = `${root.system.label} elixir ${builderElixir(file)}`.toLowerCase();
  const installing = steps.find((step) => packages([step]).length);
  return LIBRARIES.filter(([on]) => on.test(text))
    .filter(([, , , brought]) => !packages(steps).some((name) => brought.test(name)))
    .map(([, weight, name, , what]) => ({ line: installing?.line ?? line, weight, name, what }));
}

/** R1.3: CA certificates and the libraries that the release links to. */
const packageRules: readonly Rule[] = [
  r13.must(
    lacking,
    ({ name, what }) => `the image installs no ${name}: ${what}`,
    ({ name }) => `install ${name} in the last stage`,
  ),
  r13.must(
    ({ final }) =>
      final.root.system?.release === 'trixie' &&
      final.steps.find((step) => packages([step]).includes('libncurses5')),
    'Debian trixie has no libncurses5, so apt-get fails',
    'write libncurses6',
  ),
  r13.note(
    ({ final }, { project }) =>
      project.database.adapter === 'postgres' &&
      !final.steps.some(({ text }) => /\bpsql\b|postgresql\d*-client/.test(text)),
    'psql was left out of the image; `npx plop dockerfile -- --psql yes` puts it in',
  ),
];

/** B2: names of files come out of Erlang as they are only with a UTF-8 locale that is there. */
const localeRule = b2.should(
  (file) => {
    const { env, steps, root } = file.final;
    const name = env.get('LC_ALL') ?? env.get('LANG') ?? '';
    const made = steps.some(({ text }) =>
      /locale-gen|localedef|locales-all|update-locale/.test(text),
    );
    const there =
      /utf-?8/i.test(name) && (/^C\./i.test(name) || root.system?.family === 'Alpine' || made);
    const told = [...env.values()].some((value) => value.includes('+fnu'));
    return !there && !told && { line: startLine(file), name };
  },
  ({ name }) =>
    `the VM takes file names for latin1: ${name ? `there is no locale ${name} in this image` : 'no locale is set'}`,
  'before this line, write: ENV LANG=C.UTF-8, which is always there',
);

export const imageRules: readonly Rule[] = [...stageRules, ...packageRules, localeRule];
