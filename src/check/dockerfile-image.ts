import { satisfiesRequirement } from '../fly/images.ts';
import { brings } from './build-inputs.ts';
import { type Dockerfile, last, packages, startLine } from './dockerfile-model.ts';
import { DEBIANS, neverExisted } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const r12 = rulesFor(DOCKERFILE, 'R1.2');
const r13 = rulesFor(DOCKERFILE, 'R1.3');
const r14 = rulesFor(DOCKERFILE, 'R1.4');
const b1 = rulesFor(DOCKERFILE, 'B1');
const b2 = rulesFor(DOCKERFILE, 'B2');

const COMPILERS = /^(build-(base|essential)|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/;

/** What of the last stage's steps only a build needs. */
function superfluous({ build, final }: Dockerfile, { project }: Repo) {
  const home = last(build.stage, 'WORKDIR')?.words[0];
  const isBuild = (path: string) => path === home || /(^|\/)(deps|node_modules)$/.test(path);
  return (build.stage === final ? [] : final.steps).map((step) => {
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
const LIBRARIES: [system: RegExp, weight: string, name: string, brought: RegExp][] = [
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
  const place = steps.find((step) => packages([step]).length)?.line ?? line;
  return LIBRARIES.filter(
    ([on, , , brought]) => on.test(text) && !packages(steps).some((name) => brought.test(name)),
  ).map(([, weight, name]) => ({ line: place, weight, name }));
}

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|_DSN)/i;
const PUBLIC = /PUBLIC|PUBLISHABLE|_(ID|FILE|PATH|URL)$|FINGERPRINT|SITE_?KEY/i;

/** A variable that nobody may read: by its name, or as its value is a key or an address with a password. */
export const isSecret = (name: string, value: string): boolean =>
  /:\/\/[^/:@\s]*:[^@\s]+@|^(sk|rk)_live_|^ghp_/.test(value) ||
  (SECRET.test(name) && !PUBLIC.test(name));

/**
 * ARGs and ENVs that hold secrets. What is in the image is read by everybody; an ARG's value comes with each build, and
 * a short word such as "nokey" is no secret of anybody's.
 */
const secrets = ({ final, steps }: Dockerfile) =>
  steps.flatMap(({ keyword, line, pairs }) =>
    pairs
      .filter(([name, value]) => isSecret(name, value))
      .map(([name, value]) => {
        const shipped = final.steps.some((step) => step.line === line);
        const real = keyword === 'ARG' || value.length >= 16 || value.includes('$');
        return { line, weight: shipped && real ? 'must' : 'should', keyword, name };
      }),
  );

const isRoot = ({ final }: Dockerfile): boolean =>
  /^(root|0)(:|$)/.test(last(final, 'USER')?.text ?? 'root');

const CHOWN = /\bchown\s+(-R\S*\s+(?!root|0\b)|(?!root|0\b)\S+\s+\/?app\/?(\s|$))/;

/** Steps that give the code to another user: `COPY --from=builder --chown=nobody`, `chown -R nobody /app`. */
const givenAway = ({ final }: Dockerfile) =>
  final.steps.filter(({ from, flags, commands }) =>
    from ? /--chown=(?!root|0\b)/.test(flags) : commands.some((command) => CHOWN.test(command)),
  );

const rootsOf = ({ build, final }: Dockerfile) => [build.stage.root, final.root];

/** The Elixir version that the builder's tag names. */
export const builderElixir = ({ build }: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(build.stage.root.image)?.[1];

/** Past their end of life; bullseye since 2026-08-31: its package lists answer 404. */
const GONE = DEBIANS.slice(0, DEBIANS.indexOf('bookworm'));

/** Builder and runner on different systems. A newer release still has the C library that the VM was linked to. */
function drift(file: Dockerfile) {
  const [from, to] = rootsOf(file).map(({ system }) => system);
  if (!from?.release || !to?.release || from.label === to.label) return undefined;
  const age = (release: string) => DEBIANS.indexOf(release) + Number(release.split('.')[1] ?? 0);
  const newer = from.family === to.family && age(to.release) > age(from.release);
  const weight = newer ? 'should' : 'must';
  return { line: file.final.root.line, weight, from: from.label, to: to.label };
}

/** An image whose tag moves to another system by itself, unless the build compares both. */
function moving({ build, final }: Dockerfile) {
  const [builder, runner] = [build.stage.root, final.root];
  const labelled = (other: typeof runner) => other.system?.label ?? 'that of the other stage';
  if (runner.system?.exact && !runner.system.release)
    return { ...runner, system: labelled(builder) };
  const compared = build.steps.some(({ text }) => text.includes('os-release'));
  const moves = builder.system?.release && !builder.system.exact && builder !== runner;
  return moves && !compared && { ...builder, system: labelled(runner) };
}

/** What is in the image, and what it stands on. */
export const imageRules: readonly Rule[] = [
  r12.should(
    ({ build, final }) =>
      (build.stage === final || /(^|\/)(elixir|erlang)(:|$)/.test(final.root.image)) && final,
  )`the image has the compiler, Mix and Hex
    => add a last stage on a plain operating system (FROM alpine:… or debian:…-slim) that copies the release`,
  r12.should(superfluous)`the image has what only a build needs: ${'what'}
    => leave it to the builder stage; the image only needs .../_build/prod/rel/${(_, { release }) => release}`,

  r13.must(lacking)`the image installs no ${'name'}, which a release needs
    => install ${'name'} in the last stage`,
  r13.must(
    ({ final: { root, steps } }) =>
      root.system?.release === 'trixie' &&
      steps.find((step) => packages([step]).includes('libncurses5')),
  )`Debian trixie has no libncurses5, so apt-get fails
    => write libncurses6`,
  r13.note(
    ({ final }, { project }) =>
      project.database.adapter === 'postgres' &&
      !final.steps.some(({ text }) => /\bpsql\b|postgresql\d*-client/.test(text)),
  )`the image has no psql; \`npx plop dockerfile -- --psql yes\` writes a Dockerfile with it`,

  r14.should((file) => isRoot(file) && (last(file.final, 'USER') ?? { line: startLine(file) }))`
    the app runs as root
    => here, write: USER 65534:65534`,
  r14.should(givenAway)`the running app can change its own code, which it owns
    => remove --chown or this chown, and add: ENV RELEASE_TMP=/tmp`,
  r14.must((file) => {
    const may = file.final.env.has('RELEASE_TMP') || givenAway(file).length || isRoot(file);
    return !may && last(file.final, 'USER');
  })`the release writes to its tmp folder at boot, which this user may not
    => before this line, add: ENV RELEASE_TMP=/tmp`,
  r14.must(secrets)`${'keyword'} ${'name'} is kept where others can read it
    => remove it; at run time: fly secrets set ${'name'}=…; while building: RUN --mount=type=secret,id=${'name'} …`,
  r14.advice(({ steps }) =>
    steps.filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text)),
  )`ENV with a space is the old form, which Docker warns of
    => write: ENV ${({ text }) => text.replace(/^(\w+)\s+"?([\s\S]*?)"?\s*$/, '$1="$2"')}`,

  b1.must((file) =>
    rootsOf(file).find(({ system }) => GONE.includes(system?.release ?? '')),
  )`${({ system }) => system?.label}'s packages are gone (end of life), so apt-get fails
    => take trixie: change the version at the top, and libncurses5 to libncurses6`,
  b1.must((file) =>
    rootsOf(file).find(({ image }) => neverExisted(image)),
  )`there is no image ${'image'}: ${({ image }) => neverExisted(image)}
    => take a tag that hub.docker.com lists`,
  b1.must(drift)`the VM is built on ${'from'} and misses C libraries on ${'to'}
    => change the runner to ${'from'}`,
  b1.should(moving)`${'image'} changes to a new system now and then, and the other stage does not
    => name the system in the tag (as hexpm/elixir's do), ${'system'}; or compare VERSION_ID of /etc/os-release in both (\`npx plop dockerfile\` writes that)`,
  b1.must((file, { project }) => {
    const elixir = builderElixir(file);
    const refuses = (wanted: string) => elixir && !satisfiesRequirement(elixir, wanted);
    const wanted = project.elixir.requirements.find(refuses);
    return wanted && { line: file.build.stage.root.line, elixir, wanted };
  })`it builds with Elixir ${'elixir'}, and mix.exs asks for ${'wanted'}
    => change the Elixir version at the top`,
  b1.should((file) => {
    const unknown = rootsOf(file).filter(({ system }) => !system?.release && !system?.exact);
    const names = [...new Set(unknown.map(({ image }) => image))].join(' and ');
    return names && new Doubt(`what ${names} stands on can't be told from the name`);
  })``,

  b2.should((file) => {
    const { env, steps, root } = file.final;
    const name = env.get('LC_ALL') ?? env.get('LANG') ?? '';
    const made = steps.some(({ text }) =>
      /locale-gen|localedef|locales-all|update-locale/.test(text),
    );
    const isThere = /^C\./i.test(name) || root.system?.family === 'Alpine' || made;
    const why = name ? `there is no locale ${name} in this image` : 'no locale is set';
    return !(isThere && /utf-?8/i.test(name)) && { line: startLine(file), why };
  })`the VM takes file names for latin1: ${'why'}
    => before this line, write: ENV LANG=C.UTF-8, which is always there`,
];
