import { brings } from './build-inputs.ts';
import { builderElixir } from './dockerfile-base.ts';
import { type Dockerfile, last, packages, type Step, startLine } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const r12 = rulesFor(DOCKERFILE, 'R1.2');
const r13 = rulesFor(DOCKERFILE, 'R1.3');
const r14 = rulesFor(DOCKERFILE, 'R1.4');
const b2 = rulesFor(DOCKERFILE, 'B2');

const ELIXIR = /(^|\/)(elixir|erlang)(:|$)/;
const COMPILERS = /^(build-(base|essential)|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/;

/** What of the last stage's steps only a build needs. */
function superfluous({ build, final }: Dockerfile, { project }: Repo) {
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
    return what.length && { line: step.line, what: what.join(', ') };
  });
}

/**
 * What a release links to, what brings it, and whether the VM starts without. Debian's images have the C++ library and
 * ncurses (apt and bash link to them), all but bookworm's OpenSSL too (coreutils).
 */
const LIBRARIES: [system: RegExp, weight: Weight, name: string, brought: RegExp][] = [
  [/^/, 'should', 'ca-certificates', /^ca-certificates/],
  // Erlang before OTP 24 compiles nothing at run time
  [/alpine(?!.* 1\.(\d|1[01])\b)/, 'must', 'libstdc++', /^(libstdc\+\+|g\+\+|build-base|nodejs)/],
  [/alpine/, 'must', 'ncurses-libs', /^(ncurses|bash$|postgresql\d*-client)/],
  [/alpine/, 'should', 'openssl', /^(openssl|libssl|libcrypto)/],
  [/bookworm/, 'must', 'openssl', /^(openssl|libssl|curl$|ca-certificates)/],
];

function lacking(file: Dockerfile) {
  const { root, steps, line } = file.final;
  if (/elixir|erlang/.test(root.image)) return [];
  if (!root.system) return new Doubt(`what ${root.image} brings can't be told from its name`);
  const text = `${root.system.label} ${builderElixir(file)}`.toLowerCase();
  const installing = steps.find((step) => packages([step]).length);
  return LIBRARIES.filter(([on]) => on.test(text))
    .filter(([, , , brought]) => !packages(steps).some((name) => brought.test(name)))
    .map(([, weight, name]) => ({ line: installing?.line ?? line, weight, name }));
}

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|DATABASE_URL|_DSN)/;
const PUBLIC = /PUBLIC|PUBLISHABLE|_ID$|_FILE$|_PATH$|FINGERPRINT|SITE_?KEY/;

/** A variable whose name says that nobody may read its value. */
export const isSecretName = (name: string): boolean =>
  SECRET.test(name.toUpperCase()) && !PUBLIC.test(name.toUpperCase());

/** An address with a password in it. */
export const hasPassword = (value: string): boolean => /:\/\/[^/:@\s]*:[^@\s]+@/.test(value);

const ROOT = /^(root|0)(:|$)/;
const isRoot = ({ final }: Dockerfile): boolean => ROOT.test(last(final, 'USER')?.text ?? 'root');

const CHOWN = /\bchown\s+(-R\S*\s+(?!root|0\b)|(?!root|0\b)\S+\s+\/?app\/?(\s|$))/;

/** Steps that give the code to another user: `COPY --from=builder --chown=nobody`, `chown -R nobody /app`. */
const givenAway = ({ final }: Dockerfile): Step[] =>
  final.steps.filter(({ from, flags, commands }) =>
    from ? /--chown=(?!root|0\b)/.test(flags) : commands.some((command) => CHOWN.test(command)),
  );

/**
 * ARGs and ENVs that hold secrets. What is in the image is read by everybody; an ARG's value comes with each build, and
 * a short word such as "nokey" is no secret of anybody's.
 */
const secrets = ({ final, steps }: Dockerfile) =>
  steps.flatMap(({ keyword, line, pairs }) =>
    pairs
      .filter(
        ([name, value]) => isSecretName(name) && (!name.endsWith('_URL') || hasPassword(value)),
      )
      .map(([name, value]) => {
        const shipped = final.steps.some((step) => step.line === line);
        const real = keyword === 'ARG' || value.length >= 16 || value.includes('$');
        const weight: Weight = shipped && real ? 'must' : 'should';
        return { line, weight, keyword, name };
      }),
  );

/**
 * R1.2: the image holds the release, and no compiler, source, Mix, Hex or cache. R1.3: it has the libraries that this links to.
 * R1.4: a user that is not root, code that it can't change, a place where it may write, no secrets. B2: UTF-8, for names of files.
 */
export const imageRules: readonly Rule[] = [
  r12.should(
    ({ build, final }) => (build.stage === final || ELIXIR.test(final.root.image)) && final,
    'the image has the compiler, Mix and Hex',
    'add a last stage on a plain operating system (FROM alpine:… or debian:…-slim) that copies the release',
  ),
  r12.should(
    superfluous,
    ({ what }) => `the image has what only a build needs: ${what}`,
    (_, { release }) =>
      `leave it to the builder stage; the image only needs .../_build/prod/rel/${release}`,
  ),
  r12.advice(
    ({ stages }, { project }) =>
      !project.assets.packageJsons.length &&
      stages.find(({ root }) => /(^|\/)(node|oven\/bun)(:|$)/.test(root.image)),
    'a Node stage, but no package.json asks for one',
    'remove the stage and what copies from it',
  ),
  r13.must(
    lacking,
    ({ name }) => `the image installs no ${name}, which a release needs`,
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
  r14.should(
    (file) => isRoot(file) && (last(file.final, 'USER') ?? { line: startLine(file) }),
    'the app runs as root',
    'here, write: USER 65534:65534',
  ),
  r14.should(
    givenAway,
    'the running app can change its own code, which it owns',
    'remove --chown or this chown, and add: ENV RELEASE_TMP=/tmp',
  ),
  r14.must(
    (file) => {
      const may = file.final.env.has('RELEASE_TMP') || givenAway(file).length || isRoot(file);
      return !may && last(file.final, 'USER');
    },
    'the release writes to its tmp folder at boot, which this user may not',
    'before this line, add: ENV RELEASE_TMP=/tmp',
  ),
  r14.must(
    secrets,
    ({ keyword, name }) => `${keyword} ${name} is kept where others can read it`,
    ({ name }) =>
      `remove it; at run time: fly secrets set ${name}=…; while building: RUN --mount=type=secret,id=${name} …`,
  ),
  r14.advice(
    ({ steps }) =>
      steps.filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text)),
    'ENV with a space is the old form, which Docker warns of',
    ({ text }) => `write: ENV ${text.replace(/^(\w+)\s+"?([\s\S]*?)"?\s*$/, '$1="$2"')}`,
  ),
  b2.should(
    (file) => {
      const { env, steps, root } = file.final;
      const name = env.get('LC_ALL') ?? env.get('LANG') ?? '';
      const made = steps.some(({ text }) =>
        /locale-gen|localedef|locales-all|update-locale/.test(text),
      );
      const there =
        /utf-?8/i.test(name) && (/^C\./i.test(name) || root.system?.family === 'Alpine' || made);
      return !there && { line: startLine(file), name };
    },
    ({ name }) =>
      `the VM takes file names for latin1: ${name ? `there is no locale ${name} in this image` : 'no locale is set'}`,
    'before this line, write: ENV LANG=C.UTF-8, which is always there',
  ),
];
