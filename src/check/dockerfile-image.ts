import semver from 'semver';
import { startsNode } from '../docker/packages.ts';
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
  startLine,
} from './dockerfile-model.ts';
import { systemOf } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight, when } from './rule.ts';

const r12 = rulesFor(DOCKERFILE, 'R1.2');
const r13 = rulesFor(DOCKERFILE, 'R1.3');
const b2 = rulesFor(DOCKERFILE, 'B2');

/** What of a step of the last stage only a build needs. */
function superfluous(file: Dockerfile, repo: Repo, step: Step): string[] {
  const { stage, release } = buildOf(file);
  const home = last(stage, 'WORKDIR')?.commands[0]?.[0]?.replace(/^\/|\/$/g, '');
  const made = release && /--path[ =]\/?(\S+)/.exec(release.text)?.[1];
  const whole = sourceStage(file, step) === stage ? sourcesOf(step) : [];
  return [
    ...mixTasks(step).map((task) => `Mix (mix ${task})`),
    ...when(brings(step, sourceFile(repo)), 'the sources'),
    ...whole
      .filter((path) => path !== made && (path === home || /(^|\/)(deps|node_modules)$/.test(path)))
      .map((path) => `all of /${path}`),
    ...packages([step]).filter((name) => onlyBuilds(repo, name)),
  ];
}

function onlyBuilds({ project }: Repo, name: string): boolean {
  if (/^(build-(base|essential)|gcc|g\+\+|clang|make|cmake|cargo|rustc|elixir|.*-dev)$/.test(name))
    return true;
  if (!/^(git|nodejs|npm|yarn)$/.test(name)) return false;
  if (name === 'nodejs' && startsNode(project)) return false;
  // Programs that the code may start
  const start = name === 'git' ? /"git"|:git\b|\bgit / : /"(node|npm|npx|yarn)"|NodeJS/;
  return ![...project.tree.paths].some(
    (path) => path.endsWith('.ex') && start.test(project.tree.read(path) ?? ''),
  );
}

/** R1.2: the image holds the release, and no compiler, source, Mix, Hex or cache. */
const stageRules: readonly Rule[] = [
  r12.should(
    (file) => buildOf(file).stage === file.final && { line: file.final.line },
    'one stage: the image has the compiler, Mix, Hex and the sources',
    'add a last stage that copies the release from this one',
  ),
  r12.should(
    (file) => {
      const { image, line } = rootStage(file.final);
      const elixir = /(^|\/)(elixir|erlang)(:|$)/.test(image);
      return buildOf(file).stage !== file.final && elixir && { line, image };
    },
    ({ image }) => `the image is made from ${image}, which has Elixir, Mix and a compiler`,
    "take the builder's plain operating system: FROM alpine:… or debian:…-slim",
  ),
  r12.should(
    (file, repo) =>
      (buildOf(file).stage === file.final ? [] : file.final.steps).flatMap((step) => {
        const what = superfluous(file, repo, step);
        return what.length && { line: step.line, what, release: repo.release };
      }),
    ({ what }) => `the image has what only a build needs: ${what.join(', ')}`,
    ({ release }) =>
      `leave it to the builder stage; the image only needs .../_build/prod/rel/${release}`,
  ),
  r12.advice(
    ({ stages }, { project }) => {
      const node = stages.find(({ image }) => /(^|\/)(node|oven\/bun)(:|$)/.test(image));
      return node && !project.assets.packageJsons.length && { line: node?.line };
    },
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
  [/alpine/, 'must', 'libstdc++', /^(libstdc\+\+|g\+\+|build-base|nodejs)/, 'the VM needs it'],
  [/alpine/, 'must', 'ncurses-libs', /^(ncurses|bash$|postgresql\d*-client)/, 'the VM needs it'],
  [/alpine/, 'should', 'openssl', /^(openssl|libssl|libcrypto)/, 'Erlang links to it'],
  [/bookworm/, 'must', 'openssl', /^(openssl|libssl|curl$|ca-certificates)/, 'Erlang links to it'],
];

function lacking(file: Dockerfile) {
  const { final } = file;
  const { image } = rootStage(final);
  const system = systemOf(image);
  if (/elixir|erlang/.test(image)) return [];
  if (!system) return [new Doubt(`what ${image} brings can't be told from its name`)];
  const step = final.steps.find((one) => packages([one]).length > 0);
  const installed = packages(final.steps);
  // Erlang before OTP 24 compiles nothing at run time
  const old = semver.lt(semver.coerce(builderElixir(file)) ?? '2.0.0', '1.12.0');
  return LIBRARIES.filter(
    ([on, , name, brought]) =>
      on.test(`${system.family} ${system.release}`) &&
      !(old && name === 'libstdc++') &&
      !installed.some((one) => brought.test(one)),
  ).map(([, weight, name, , what]) => ({
    line: step?.line ?? final.line,
    weight,
    name,
    what,
    add: step ? 'to this list, add:' : 'below this line, install:',
  }));
}

/** R1.3: CA certificates and the libraries that the release links to. */
const packageRules: readonly Rule[] = [
  r13.must(
    lacking,
    ({ name, what }) => `the image installs no ${name}: ${what}`,
    ({ name, add }) => `${add} ${name}`,
  ),
  r13.must(
    ({ final }) => {
      const step = final.steps.find((one) => packages([one]).includes('libncurses5'));
      return (
        step &&
        systemOf(rootStage(final).image)?.release === 'trixie' && {
          line: step?.line,
        }
      );
    },
    'Debian trixie has no libncurses5, so apt-get fails',
    'write libncurses6',
  ),
  r13.note(({ final }, { project }) => {
    const psql = final.steps.some(({ text }) => /\bpsql\b|postgresql\d*-client/.test(text));
    return !psql && project.database.adapter === 'postgres' && {};
  }, 'psql was left out of the image; `npx plop dockerfile -- --psql yes` puts it in'),
];

/** The locale that the image sets, where it is none that is there. */
function locale({ final }: Dockerfile): string | undefined {
  const { env, steps } = final;
  const options = `${env.get('ELIXIR_ERL_OPTIONS')} ${env.get('ERL_FLAGS')}`;
  const name = env.get('LC_ALL') ?? env.get('LANG') ?? '';
  const made = steps.some(({ text }) =>
    /locale-gen|localedef|locales-all|update-locale/.test(text),
  );
  const there = /^C\./i.test(name) || systemOf(rootStage(final).image)?.family === 'alpine' || made;
  return options.includes('+fnu') || (/utf-?8/i.test(name) && there) ? undefined : name;
}

/** B2: names of files come out of Erlang as they are only with a UTF-8 locale. */
const localeRule = b2.should(
  (file) => {
    const name = locale(file);
    return name === undefined ? [] : [{ line: startLine(file), name }];
  },
  ({ name }) =>
    `the VM takes file names for latin1: ${name ? `there is no locale ${name} in this image` : 'no locale is set'}`,
  'before this line, write: ENV LANG=C.UTF-8, which is always there',
);

export const imageRules: readonly Rule[] = [...stageRules, ...packageRules, localeRule];
