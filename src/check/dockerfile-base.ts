import { satisfiesRequirement } from '../fly/images.ts';
import { buildOf } from './dockerfile-build.ts';
import { type Dockerfile, rootStage, type Stage } from './dockerfile-model.ts';
import { DEBIANS, neverExisted, type System, systemOf } from './image-name.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const b1 = rulesFor(DOCKERFILE, 'B1');

const label = ({ family, release = '' }: System): string =>
  `${family.replace(/^./, (letter) => letter.toUpperCase())} ${release}`.trim();

/** The images that builder and runner stand on in the end, with their systems. */
function bases(file: Dockerfile) {
  const based = (stage: Stage) => ({
    stage: rootStage(stage),
    system: systemOf(rootStage(stage).image),
  });
  return { builder: based(buildOf(file).stage), runner: based(file.final) };
}

/** The line of the ARG that holds a version, else of the last one that the image is made of, else of FROM. */
function lineOf(file: Dockerfile, { rawImage, line }: Stage, version = ''): number {
  const holder = [...file.args.values()].find(({ raw }) => version && raw.includes(version));
  const names = [...rawImage.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
  const used = names.flatMap((name) => file.args.get(name)?.line ?? []);
  return (names.length ? (holder?.line ?? used.at(-1)) : undefined) ?? line;
}

/** The Elixir version that the builder's tag names. */
export const builderElixir = (file: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(bases(file).builder.stage.image)?.[1];

/** Releases past their end of life: bullseye since 2026-08-31, its package lists answer 404. */
function gone(file: Dockerfile) {
  const { builder, runner } = bases(file);
  const old = [builder, runner].find(({ system }) =>
    ['jessie', 'stretch', 'buster', 'bullseye'].includes(system?.release ?? ''),
  );
  const release = old?.system?.release;
  return old ? [{ line: lineOf(file, old.stage, release), release }] : [];
}

/** Builder and runner on different systems. A newer release still has the C library that the VM was linked to. */
function drift(file: Dockerfile) {
  const { builder, runner } = bases(file);
  const [from, to] = [builder.system, runner.system];
  if (builder.stage === runner.stage || !from?.release || !to?.release) return [];
  if (label(from) === label(to)) return [];
  const age = ({ family, release = '' }: System) =>
    family === 'debian' ? DEBIANS.indexOf(release) : Number(release.split('.')[1]);
  const weight: Weight = from.family === to.family && age(to) > age(from) ? 'should' : 'must';
  const line = lineOf(file, runner.stage, to.release);
  return [{ line, weight, from: label(from), to: label(to) }];
}

/** B1: builder and runner on one release of one operating system that still has packages, at versions that mix.exs allows. */
export const baseRules: readonly Rule[] = [
  b1.must(
    gone,
    ({ release }) => `Debian ${release}'s packages are gone (end of life), so apt-get fails`,
    'take trixie: change the version at the top, and libncurses5 to libncurses6',
  ),
  b1.must(
    (file) =>
      file.stages.flatMap((stage) => {
        const why = stage.base ? undefined : neverExisted(stage.image);
        return why ? [{ line: lineOf(file, stage), image: stage.image, why }] : [];
      }),
    ({ image, why }) => `there is no image ${image}: ${why}`,
    'take a tag that hub.docker.com lists',
  ),
  b1.should(
    (file) => {
      const { builder, runner } = bases(file);
      const moves = runner.system?.exact && !runner.system.release;
      const system = builder.system ? label(builder.system) : 'the builder';
      return moves && { line: runner.stage.line, image: runner.stage.image, system };
    },
    ({ image }) =>
      `${image} changes to another release by itself, and then differs from the builder's`,
    ({ system }) => `name the release of ${system}`,
  ),
  b1.must(
    drift,
    ({ from, to }) => `the VM is built on ${from} and misses C libraries on ${to}`,
    ({ from }) => `change the runner to ${from}`,
  ),
  b1.should(
    (file) => {
      const { builder, runner } = bases(file);
      const compared = buildOf(file).steps.some(({ text }) => text.includes('os-release'));
      const moves =
        builder.system?.release && !builder.system.exact && builder.stage !== runner.stage;
      const { image } = builder.stage;
      return moves && !compared && { line: lineOf(file, builder.stage), image };
    },
    ({ image }) => `${image} changes to a new system now and then, and the runner does not`,
    'compare VERSION_ID of /etc/os-release in both (`npx plop dockerfile` writes that), or take a hexpm/elixir tag, which names its system',
  ),
  b1.must(
    (file, { project }) => {
      const elixir = builderElixir(file);
      const refused = project.elixir.requirements.filter(
        (wanted) => elixir && !satisfiesRequirement(elixir, wanted),
      );
      const line = lineOf(file, bases(file).builder.stage, elixir);
      return refused.slice(0, 1).map((wanted) => ({ line, elixir, wanted }));
    },
    ({ elixir, wanted }) => `it builds with Elixir ${elixir}, and mix.exs asks for ${wanted}`,
    'change the Elixir version at the top',
  ),
  b1.advice(
    (file) => {
      const { builder, runner } = bases(file);
      return [...new Set([builder.stage, runner.stage])]
        .filter(({ rawImage }) => !rawImage.includes('$') && /\d/.test(rawImage))
        .map(({ line, rawImage }) => ({ line, image: rawImage }));
    },
    ({ image }) => `the version of ${image} is in the middle of the file`,
    'put each version into an ARG in front of the first FROM',
  ),
  b1.should((file) => {
    const { builder, runner } = bases(file);
    const images = [builder, runner].flatMap(({ stage, system }) =>
      system?.release || system?.exact ? [] : stage.image,
    );
    const names = [...new Set(images)].join(' and ');
    return names && new Doubt(`what ${names} stands on can't be told from the name`);
  }),
];
