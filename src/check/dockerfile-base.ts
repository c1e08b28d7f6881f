import { satisfiesRequirement } from '../fly/images.ts';
import { buildOf } from './dockerfile-build.ts';
import { type Dockerfile, rootStage, type Stage } from './dockerfile-model.ts';
import { LABELS, neverExisted, type System, systemOf } from './image-name.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);

/** Past their end of life: bullseye since 2026-08-31, its package lists answer 404. */
const GONE = new Set(['jessie', 'stretch', 'buster', 'bullseye']);

const label = ({ family, release }: System): string =>
  `${LABELS[family]}${release ? ` ${release}` : ''}`;

/** The images that builder and runner stand on in the end, and their systems. */
function both(file: Dockerfile) {
  const [builder, runner] = [rootStage(buildOf(file).stage), rootStage(file.final)];
  return { builder, runner, systems: [systemOf(builder.image), systemOf(runner.image)] as const };
}

/** The line of the ARG that holds a version, else of the last one that the image is made of, else of FROM. */
function lineOf(file: Dockerfile, { rawImage, line }: Stage, version = ''): number {
  const holder = [...file.args.values()].find(({ raw }) => version && raw.includes(version));
  const names = [...rawImage.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
  const used = names.flatMap((name) => file.args.get(name)?.line ?? []);
  return (rawImage.includes('$') ? (holder?.line ?? used.at(-1)) : undefined) ?? line;
}

/** The Elixir version that the builder's tag names. */
export const builderElixir = (file: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(rootStage(buildOf(file).stage).image)?.[1];

/** Where builder and runner name different systems. */
function drift(file: Dockerfile) {
  const { builder, runner, systems } = both(file);
  const [from, to] = systems;
  if (builder === runner || !from?.release || !to?.release) return undefined;
  if (from.family === to.family && from.release === to.release) return undefined;
  return {
    line: lineOf(file, runner, to.release),
    from: label(from),
    to: label(to),
    newer: isNewer(to, from),
  };
}

const DEBIANS = ['bullseye', 'bookworm', 'trixie', 'forky'];

/** A newer release of the same system still has the C library that the VM was linked to. */
function isNewer(system: System, than: System): boolean {
  if (system.family !== than.family) return false;
  const order = ({ family, release = '' }: System) =>
    family === 'debian' ? DEBIANS.indexOf(release) : Number(release.split('.')[1]);
  return order(system) > order(than);
}

/** B1: builder and runner on one release of one operating system that still has packages, at versions that mix.exs allows. */
export const baseRules: readonly Rule[] = [
  rule({
    id: 'B1',
    weight: 'must',
    find: (file) => {
      const { builder, runner, systems } = both(file);
      const index = systems.findIndex((system) => system?.release && GONE.has(system.release));
      const stage = [builder, runner][index];
      const release = systems[index]?.release;
      return stage ? [{ line: lineOf(file, stage, release), release }] : [];
    },
    say: ({ release }) =>
      `Debian ${release} is past its end of life and its packages are gone, so apt-get fails`,
    mend: () => 'take trixie: change the version at the top, and libncurses5 to libncurses6',
  }),
  rule({
    id: 'B1',
    weight: 'must',
    find: (file) =>
      file.stages
        .filter(({ base }) => !base)
        .flatMap((stage) => {
          const why = neverExisted(stage.image);
          return why === undefined ? [] : [{ line: lineOf(file, stage), image: stage.image, why }];
        }),
    say: ({ image, why }) => `there is no image ${image}: ${why}`,
    mend: () => 'take a tag that hub.docker.com lists',
  }),
  rule({
    id: 'B1',
    weight: 'should',
    find: (file) => {
      const { runner, systems } = both(file);
      const [builder, system] = systems;
      const wanted = builder?.release ? `: ${label(builder)}` : '';
      return when(system?.exact && !system.release, {
        line: lineOf(file, runner),
        image: runner.image,
        wanted,
      });
    },
    say: ({ image }) =>
      `${image} moves to a new release by itself, and then the Erlang VM misses its C libraries`,
    mend: ({ wanted }) => `name the builder's release${wanted}`,
  }),
  ...(['must', 'should'] as const).map((weight) =>
    rule({
      id: 'B1',
      weight,
      find: (file) => {
        const found = drift(file);
        return found && found.newer === (weight === 'should') ? [found] : [];
      },
      say: ({ from, to }) =>
        `the builder stands on ${from}, the runner on ${to}: the Erlang VM ${weight === 'must' ? 'misses' : 'may miss'} its C libraries at boot`,
      mend: ({ from }) => `change the runner to ${from}`,
    }),
  ),
  rule({
    id: 'B1',
    weight: 'should',
    find: (file) => {
      const { builder, runner, systems } = both(file);
      const [system] = systems;
      const compared = buildOf(file).steps.some((step) => /os-release/.test(step.text));
      const moves = system?.release && !system.exact && builder !== runner;
      return when(moves && !compared, {
        line: lineOf(file, builder),
        image: builder.image,
        family: LABELS[system?.family ?? 'debian'],
      });
    },
    say: ({ image, family }) =>
      `${image} moves to a new ${family} now and then, and nothing in the build compares it with the runner`,
    mend: () =>
      'compare VERSION_ID of /etc/os-release in both and fail (`npx plop dockerfile` writes that), or take a hexpm/elixir tag, which names its release',
  }),
  rule({
    id: 'B1',
    weight: 'must',
    find: (file, { project }) => {
      const elixir = builderElixir(file);
      const wanted = project.elixir.requirements.find(
        (one) => elixir && !satisfiesRequirement(elixir, one),
      );
      return when(wanted, { line: lineOf(file, both(file).builder, elixir), elixir, wanted });
    },
    say: ({ elixir, wanted }) => `it builds with Elixir ${elixir}, and mix.exs asks for ${wanted}`,
    mend: () => 'change the Elixir version at the top',
  }),
  rule({
    id: 'B1',
    weight: 'advice',
    find: (file) => {
      const { builder, runner } = both(file);
      return [...new Set([builder, runner])]
        .filter(({ rawImage }) => !rawImage.includes('$') && /\d/.test(rawImage))
        .map(({ line, rawImage }) => ({ line, image: rawImage }));
    },
    say: ({ image }) => `the version of ${image} stands in the middle of the file`,
    mend: () =>
      `put it into an ARG in front of the first FROM, one for each version, and use it here: FROM …\${VERSION}`,
  }),
  rule({
    id: 'B1',
    weight: 'should',
    find: (file) => {
      const { builder, runner, systems } = both(file);
      const doubtful = [builder, runner].filter((_, index) => {
        const system = systems[index];
        return !system?.release && !system?.exact;
      });
      const images = [...new Set(doubtful.map(({ image }) => image))].join(' and ');
      return when(images, new Doubt(`what ${images} stands on can't be told from the name`));
    },
    say: () => '',
    mend: () => '',
  }),
];
