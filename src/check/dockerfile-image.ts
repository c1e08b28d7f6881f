import semver from 'semver';
import { builderElixir } from './dockerfile-base.ts';
import { brings, buildOf, sourceFile } from './dockerfile-build.ts';
import {
  type Dockerfile,
  last,
  mixTasks,
  packages,
  rootStage,
  type Step,
  sourceStage,
  sourcesOf,
} from './dockerfile-model.ts';
import { systemOf } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);
const copyOf = ({ release }: Repo): string =>
  `COPY --from=builder /app/_build/prod/rel/${release} ./`;

/** Whether the image has stages of their own for building and running; what one stage holds is said once. */
const staged = (file: Dockerfile): boolean => buildOf(file).stage !== file.final;

/** Packages that only a build needs. */
const COMPILERS =
  /^(build-base|build-essential|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/;
/** Others that are superfluous unless the code starts them. */
const PROGRAMS = /^(git|nodejs|npm|yarn)$/;

function superfluous({ project }: Repo, name: string): boolean {
  if (COMPILERS.test(name)) return true;
  if (!PROGRAMS.test(name)) return false;
  const words = name === 'git' ? /"git"|:git\b|\bgit / : /"(node|npm|npx|yarn)"|NodeJS/;
  const starts = [...project.tree.paths].some(
    (path) => path.endsWith('.ex') && words.test(project.tree.read(path) ?? ''),
  );
  return !starts && !(name === 'nodejs' && project.deps.prod.includes('nodejs'));
}

/** A folder of the builder that holds more than the release: its WORKDIR, deps, node_modules. */
function wholeBuild(file: Dockerfile, step: Step): string | undefined {
  const build = buildOf(file);
  if (step.keyword !== 'COPY' || sourceStage(file, step) !== build.stage) return undefined;
  const home = last(build.stage, 'WORKDIR')?.commands[0]?.[0]?.replace(/^\/|\/$/g, '');
  const release = build.release && /--path[ =]\/?(\S+)/.exec(build.release.text)?.[1];
  return sourcesOf(step).find(
    (source) =>
      source !== release && (source === home || /(^|\/)(deps|node_modules)$/.test(source)),
  );
}

/** R1.2: the image holds the release, and no compiler, source, Mix, Hex or cache. */
export const stageRules: readonly Rule[] = [
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file, repo) => when(!staged(file), { line: file.final.line, copy: copyOf(repo) }),
    say: () => 'one stage: the image holds the compiler, Mix, Hex and the sources',
    mend: ({ copy }) =>
      `name it \`… AS builder\`, and end the file with a stage of its own:\nFROM the builder's operating system\n${copy}`,
  }),
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file) => {
      const { image, line } = rootStage(file.final);
      const elixir = /(^|\/)(elixir|erlang|hexpm\/(elixir|erlang))(:|$)/.test(image);
      return when(staged(file) && elixir, { line, image });
    },
    say: ({ image }) => `the image stands on ${image}, which brings Elixir, Mix and a compiler`,
    mend: () =>
      'take the plain operating system of the builder: FROM alpine:VERSION or debian:NAME-slim',
  }),
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file) =>
      staged(file)
        ? file.final.steps.flatMap((step) =>
            mixTasks(step).map((task) => ({ line: step.line, task })),
          )
        : [],
    say: ({ task }) => `mix ${task} runs in the final stage, so Mix is in the image`,
    mend: () => 'move it to the builder stage',
  }),
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file, repo) =>
      file.final.steps
        .filter((step) => staged(file) && brings(step, sourceFile(repo)))
        .map(({ line }) => ({ line, copy: copyOf(repo) })),
    say: () => 'the sources are copied into the image',
    mend: ({ copy }) => `remove it; the release comes with: ${copy}`,
  }),
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file, repo) =>
      file.final.steps.flatMap((step) => {
        const folder = staged(file) ? wholeBuild(file, step) : undefined;
        return folder === undefined ? [] : [{ line: step.line, folder, copy: copyOf(repo) }];
      }),
    say: ({ folder }) => `/${folder} holds more than the release`,
    mend: ({ copy }) => `write: ${copy}`,
  }),
  rule({
    id: 'R1.2',
    weight: 'should',
    find: (file, repo) => {
      const { steps } = file.final;
      const tools = packages(steps).filter((name) => superfluous(repo, name));
      const line = steps.find((step) =>
        packages([step]).some((name) => tools.includes(name)),
      )?.line;
      return when(staged(file) && tools.length, { line, tools });
    },
    say: ({ tools }) => `the image holds what only a build needs: ${tools.join(', ')}`,
    mend: () => 'remove these packages from the final stage',
  }),
  rule({
    id: 'R1.2',
    weight: 'advice',
    find: (file, { project }) => {
      const node = file.stages.find(({ image }) => /(^|\/)(node|oven\/bun)(:|$)/.test(image));
      return when(node && !project.assets.packageJsons.length, { line: node?.line });
    },
    say: () => 'a Node stage, but no package.json asks for one',
    mend: () => 'remove the stage and what copies from it',
  }),
];

/** What a release links to, the packages that bring it, and whether the VM starts without. */
interface Library {
  family: 'alpine' | 'debian';
  what: string;
  packages: RegExp;
  wanted: string;
  weight: Weight;
  /** The only release whose base image lacks it. */
  release?: string;
}

const CA = 'CA certificates, without which no TLS connection can be verified';

/** Debian's images have the C++ library and ncurses (apt and bash link to them), trixie's OpenSSL too (coreutils). */
const LIBRARIES: readonly Library[] = [
  {
    family: 'alpine',
    what: CA,
    packages: /^ca-certificates/,
    wanted: 'ca-certificates',
    weight: 'should',
  },
  {
    family: 'alpine',
    what: 'the C++ library (the VM compiles code with it)',
    packages: /^(libstdc\+\+|g\+\+|build-base|nodejs.*)$/,
    wanted: 'libstdc++',
    weight: 'must',
  },
  {
    family: 'alpine',
    what: 'OpenSSL',
    packages: /^(openssl.*|libssl.*|libcrypto.*)$/,
    wanted: 'openssl',
    weight: 'should',
  },
  {
    family: 'alpine',
    what: 'ncurses',
    packages: /^(ncurses.*|bash|postgresql\d*-client)$/,
    wanted: 'ncurses-libs',
    weight: 'must',
  },
  {
    family: 'debian',
    what: CA,
    packages: /^ca-certificates$/,
    wanted: 'ca-certificates',
    weight: 'should',
  },
  {
    family: 'debian',
    what: 'OpenSSL',
    packages: /^(openssl|libssl.*|curl|ca-certificates)$/,
    wanted: 'openssl',
    weight: 'must',
    release: 'bookworm',
  },
];

const INSTALL = {
  alpine: 'apk add --no-cache',
  debian: 'apt-get update && apt-get install -y --no-install-recommends',
};

/** Libraries of that weight which nothing brings; an image that brings Erlang has them. */
function lacking(file: Dockerfile, weight: Weight) {
  const { final } = file;
  const { image } = rootStage(final);
  const system = systemOf(image);
  if (/elixir|erlang/.test(image)) return [];
  if (!system)
    return when(weight === 'must', new Doubt(`what ${image} brings can't be told from its name`));
  const family = system.family === 'alpine' ? 'alpine' : 'debian';
  const step = final.steps.find((one) => packages([one]).length > 0);
  const installed = packages(final.steps);
  // Erlang before OTP 24 compiles nothing at run time
  const old = semver.lt(semver.coerce(builderElixir(file)) ?? '2.0.0', '1.12.0');
  return LIBRARIES.filter(
    (library) =>
      library.family === family &&
      !(old && library.wanted === 'libstdc++') &&
      library.weight === weight &&
      (library.release ?? system.release) === system.release &&
      !installed.some((name) => library.packages.test(name)),
  ).map(({ what, wanted }) => ({
    line: step?.line ?? final.line,
    what,
    wanted,
    command: step ? undefined : INSTALL[family],
  }));
}

/** R1.3: CA certificates and the libraries that the release links to. */
export const packageRules: readonly Rule[] = [
  ...(['must', 'should'] as const).map((weight) =>
    rule({
      id: 'R1.3',
      weight,
      find: (file) => lacking(file, weight),
      say: ({ wanted, what }) => `the image installs no ${wanted}: ${what}`,
      mend: ({ wanted, command }) =>
        command ? `after this line, add: RUN ${command} ${wanted}` : `add ${wanted} to this list`,
    }),
  ),
  rule({
    id: 'R1.3',
    weight: 'must',
    find: ({ final }) => {
      const step = final.steps.find((one) => packages([one]).includes('libncurses5'));
      const { release } = systemOf(rootStage(final).image) ?? {};
      return when(step && release === 'trixie', { line: step?.line });
    },
    say: () => 'Debian trixie has no libncurses5, so apt-get fails',
    mend: () => 'write libncurses6',
  }),
  rule({
    id: 'R1.3',
    weight: 'note',
    find: ({ final }, { project }) => {
      const psql =
        packages(final.steps).some((name) => /^postgresql\d*-client/.test(name)) ||
        final.steps.some((step) => step.keyword === 'COPY' && /\bpsql\b/.test(step.text));
      return when(!psql && project.database.adapter === 'postgres', {});
    },
    say: () => 'psql was left out of the image; `npx plop dockerfile -- --psql yes` puts it in',
    mend: () => '',
  }),
];
