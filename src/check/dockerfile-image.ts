import { copiesPath } from './build-inputs.ts';
import { type Dockerfile, installedPackages, lastStep, startLine } from './dockerfile-model.ts';
import { builderElixir } from './dockerfile-systems.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const contents = rulesFor<Dockerfile>('R1.2');
const libraries = rulesFor<Dockerfile>('R1.3');
const access = rulesFor<Dockerfile>('R1.4');
const locale = rulesFor<Dockerfile>('B2');

const COMPILERS = /^(build-(base|essential)|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/;

/** What the image gets and only a build needs, by step of the last stage. */
function buildContent({ build, final }: Dockerfile, { project }: Repo) {
  if (build.stage === final) return undefined;
  const home = lastStep(build.stage, 'WORKDIR')?.words[0];
  const isBuildFolder = (path: string) => path === home || /(^|\/)(deps|node_modules)$/.test(path);
  return final.steps.map((step) => {
    const copied = step.from === build.stage ? step.words.slice(0, -1) : [];
    const what = [
      ...step.tasks.map((task) => `Mix (mix ${task})`),
      ...(copiesPath(step, project.endpoint.file) ? ['the sources'] : []),
      ...copied.filter(isBuildFolder).map((path) => `all of ${path}`),
      ...installedPackages([step]).filter((name) => COMPILERS.test(name)),
    ];
    return what.length && { line: step.line, what: what.join(', ') };
  });
}

/**
 * What a release links to, the systems whose images lack it, and the packages that bring it. must: the VM doesn't start
 * without. Debian's images have the C++ library and ncurses (apt and bash link to them), all but bookworm's OpenSSL too
 * (coreutils).
 */
const LIBRARIES: [system: string, weight: string, name: string, packages: RegExp][] = [
  ['', 'should', 'ca-certificates', /^ca-certificates/],
  ['Alpine', 'must', 'libstdc++', /^(libstdc\+\+|g\+\+|build-base|nodejs)/],
  ['Alpine', 'must', 'ncurses-libs', /^(ncurses|bash$|postgresql\d*-client)/],
  ['Alpine', 'should', 'openssl', /^(openssl|libssl|libcrypto)/],
  ['Debian bookworm', 'must', 'openssl', /^(openssl|libssl|curl$|ca-certificates)/],
];

function missingLibraries(file: Dockerfile) {
  const { baseImage, steps, line } = file.final;
  if (/elixir|erlang/.test(baseImage.image)) return [];
  const label = baseImage.system?.label;
  if (!label) return new Doubt(`what ${baseImage.image} brings can't be told from its name`);
  // Erlang before OTP 24, so with Elixir up to 1.11, compiles nothing at run time
  const isOld = /^1\.(\d|1[01])\b/.test(builderElixir(file) ?? '');
  const needed = LIBRARIES.filter(
    ([system, , name]) => label.startsWith(system) && !(isOld && name === 'libstdc++'),
  );
  const installed = installedPackages(steps);
  const installLine = steps.find((step) => installedPackages([step]).length)?.line ?? line;
  return needed
    .filter(([, , , packages]) => !installed.some((name) => packages.test(name)))
    .map(([, weight, name]) => ({ line: installLine, weight, name }));
}

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|_DSN)/i;
const PUBLIC = /PUBLIC|PUBLISHABLE|_(ID|FILE|PATH|URL)$|FINGERPRINT|SITE_?KEY/i;

/** An address with a password, a key of Stripe's or a token of GitHub's. */
const SECRET_VALUE = /:\/\/[^/:@\s]*:[^@\s]+@|^(sk|rk)_live_|^ghp_/;

/** Whether a variable holds a secret, by its name or its value. */
export const isSecret = (name: string, value: string): boolean =>
  SECRET_VALUE.test(value) || (SECRET.test(name) && !PUBLIC.test(name));

/**
 * ARGs and ENVs that hold secrets. What is in the image is read by everybody; an ARG's value comes with each build, and
 * a short word such as "nokey" is no secret of anybody's.
 */
function secrets({ final, steps }: Dockerfile) {
  const variables = steps.flatMap(({ keyword, line, pairs }) =>
    pairs.map(([name, value]) => ({ keyword, line, name, value })),
  );
  return variables
    .filter(({ name, value }) => isSecret(name, value))
    .map(({ keyword, line, name, value }) => {
      const isInImage = final.steps.some((step) => step.line === line);
      const isReal = keyword === 'ARG' || value.length >= 16 || value.includes('$');
      return { line, weight: isInImage && isReal ? 'must' : 'should', keyword, name };
    });
}

const isRoot = ({ final }: Dockerfile): boolean =>
  /^(root|0)(:|$)/.test(lastStep(final, 'USER')?.text ?? 'root');

/** `chown -R nobody lib`, `chown nobody /app`; not for root. */
const CHOWN = /\bchown\s+(-R\S*\s+(?!root|0\b)|(?!root|0\b)\S+\s+\/?app\/?(\s|$))/;

/** Steps that give the code to another user: `COPY --from=builder --chown=nobody`, `chown -R nobody /app`. */
const ownerChanges = ({ final }: Dockerfile) =>
  final.steps.filter(({ from, flags, commands }) =>
    from ? /--chown=(?!root|0\b)/.test(flags) : commands.some((command) => CHOWN.test(command)),
  );

function userWithoutTmp(file: Dockerfile) {
  const mayWrite = file.final.env.has('RELEASE_TMP') || ownerChanges(file).length > 0;
  return !mayWrite && !isRoot(file) && lastStep(file.final, 'USER');
}

/** C.UTF-8 is in every image; Alpine takes any name, Debian has only the locales that are made. */
function localeNotUtf8(file: Dockerfile) {
  const { env, steps, baseImage } = file.final;
  const name = env.get('LC_ALL') ?? env.get('LANG') ?? '';
  const isMade = steps.some(({ text }) =>
    /locale-gen|localedef|locales-all|update-locale/.test(text),
  );
  const exists = /^C\./i.test(name) || baseImage.system?.family === 'Alpine' || isMade;
  if (exists && /utf-?8/i.test(name)) return undefined;
  const why = name ? `there is no locale ${name} in this image` : 'no locale is set';
  return { line: startLine(file), why };
}

/** What the image holds, and who may read and change it. */
export const imageRules: readonly Rule[] = [
  contents.should({
    find: ({ build, final }) =>
      (build.stage === final || /(^|\/)(elixir|erlang)(:|$)/.test(final.baseImage.image)) && final,
    what: 'the image has a compiler and other tools of the build',
    edit: 'add a last stage on a plain operating system (FROM alpine:… or debian:…-slim) that copies the release',
  }),
  contents.should({
    find: buildContent,
    what: ({ what }) => `the image has what only a build needs: ${what}`,
    edit: (_, { release }) =>
      `leave it to the builder stage; the image only needs .../_build/prod/rel/${release}`,
  }),

  libraries.must({
    find: missingLibraries,
    what: ({ name }) => `the image installs no ${name}, which a release needs`,
    edit: ({ name }) => `install ${name} in the last stage`,
  }),
  libraries.must({
    find: ({ final: { baseImage, steps } }) =>
      baseImage.system?.release === 'trixie' &&
      steps.find((step) => installedPackages([step]).includes('libncurses5')),
    what: 'Debian trixie has no libncurses5, so apt-get fails',
    edit: 'write libncurses6',
  }),
  libraries.note({
    find: ({ final }, { project }) =>
      project.database.adapter === 'postgres' &&
      !final.steps.some(({ text }) => /\bpsql\b|postgresql\d*-client/.test(text)),
    what: 'the image has no psql; `npx plop dockerfile -- --psql yes` writes a Dockerfile with it',
  }),

  access.should({
    find: (file) => isRoot(file) && (lastStep(file.final, 'USER') ?? { line: startLine(file) }),
    what: 'the app runs as root',
    edit: 'here, write: USER 65534:65534',
  }),
  access.should({
    find: ownerChanges,
    what: 'the running app can change its own code, which it owns',
    edit: 'remove --chown or this chown, and add: ENV RELEASE_TMP=/tmp',
  }),
  access.must({
    find: userWithoutTmp,
    what: 'the release writes to its tmp folder at boot, which this user may not',
    edit: 'before this line, add: ENV RELEASE_TMP=/tmp',
  }),
  access.must({
    find: secrets,
    what: ({ keyword, name }) => `${keyword} ${name} is kept where others can read it`,
    edit: ({ name }) =>
      `remove it; at run time: fly secrets set ${name}=…; while building: RUN --mount=type=secret,id=${name} …`,
  }),
  access.advice({
    find: ({ steps }) =>
      steps.filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text)),
    what: 'ENV with a space is the old form, which Docker warns of',
    edit: ({ text }) => `write: ENV ${text.replace(/^(\w+)\s+"?([\s\S]*?)"?\s*$/, '$1="$2"')}`,
  }),

  locale.should({
    find: localeNotUtf8,
    what: ({ why }) => `the VM takes file names for latin1: ${why}`,
    edit: 'before this line, write: ENV LANG=C.UTF-8, which is always there',
  }),
];
