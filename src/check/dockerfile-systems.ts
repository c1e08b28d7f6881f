import { satisfiesRequirement } from '../fly/images.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import { DEBIANS, neverExisted } from './image-name.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const systems = rulesFor<Dockerfile>('B1');

/** Of the builder and of the last stage. */
const baseImages = ({ build, final }: Dockerfile) => [build.stage.baseImage, final.baseImage];

/** The Elixir version that the builder's tag names. */
export const builderElixir = ({ build }: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(build.stage.baseImage.image)?.[1];

/** bullseye since 2026-08-31: its package lists answer 404. */
const END_OF_LIFE = DEBIANS.slice(0, DEBIANS.indexOf('bookworm'));

/** Grows with each release of a system: "3.22", "24.04", "bookworm". */
function age(release: string): number {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return DEBIANS.includes(release) ? DEBIANS.indexOf(release) : major * 100 + minor;
}

/** Builder and runner on different systems. A newer release still has the C library that the VM was linked to. */
function differentSystems(file: Dockerfile) {
  const [from, to] = baseImages(file).map(({ system }) => system);
  if (!from?.release || !to?.release || from.label === to.label) return undefined;
  const isNewer = from.family === to.family && age(to.release) > age(from.release);
  const weight = isNewer ? 'should' : 'must';
  return { line: file.final.baseImage.line, weight, from: from.label, to: to.label };
}

/** An image whose tag moves to another system by itself, unless the build compares both. */
function movingTag({ build, final }: Dockerfile) {
  const [builder, runner] = [build.stage.baseImage, final.baseImage];
  const labelOf = ({ system }: typeof runner) => system?.label ?? 'that of the other stage';
  if (runner.system?.tag === 'moving' && !runner.system.release)
    return { ...runner, system: labelOf(builder) };
  const isCompared = build.steps.some(({ text }) => text.includes('os-release'));
  if (isCompared || builder === runner || !builder.system?.release) return undefined;
  return builder.system.tag === 'moving' && { ...builder, system: labelOf(runner) };
}

function wrongElixir(file: Dockerfile, { project }: Repo) {
  const elixir = builderElixir(file);
  if (elixir === undefined) return undefined;
  const wanted = project.elixir.requirements.find(
    (requirement) => !satisfiesRequirement(elixir, requirement),
  );
  return wanted && { line: file.build.stage.baseImage.line, elixir, wanted };
}

function unknownSystems(file: Dockerfile) {
  const unknown = baseImages(file).filter(({ system }) => !system || system.tag === 'unknown');
  const names = [...new Set(unknown.map(({ image }) => image))].join(' and ');
  return names && new Doubt(`what ${names} stands on can't be told from the name`);
}

/** Builder and runner stand on one system that still has packages. */
export const systemRules: readonly Rule[] = [
  systems.must({
    find: (file) =>
      baseImages(file).find(({ system }) => END_OF_LIFE.includes(system?.release ?? '')),
    what: ({ system }) => `${system?.label}'s packages are gone (end of life), so apt-get fails`,
    edit: 'take trixie: change the version at the top, and libncurses5 to libncurses6',
  }),
  systems.must({
    find: (file) => baseImages(file).find(({ image }) => neverExisted(image)),
    what: ({ image }) => `there is no image ${image}: ${neverExisted(image)}`,
    edit: 'take a tag that hub.docker.com lists',
  }),
  systems.must({
    find: differentSystems,
    what: ({ from, to }) => `the VM is built on ${from} and misses C libraries on ${to}`,
    edit: ({ from }) => `change the runner to ${from}`,
  }),
  systems.should({
    find: movingTag,
    what: ({ image }) =>
      `${image} changes to a new system now and then, and the other stage does not`,
    edit: ({ system }) =>
      `name the system in the tag (as hexpm/elixir's do), ${system}; or compare VERSION_ID of /etc/os-release in both (\`npx plop dockerfile\` writes that)`,
  }),
  systems.must({
    find: wrongElixir,
    what: ({ elixir, wanted }) => `it builds with Elixir ${elixir}, and mix.exs asks for ${wanted}`,
    edit: 'change the Elixir version at the top',
  }),
  systems.should({
    find: unknownSystems,
  }),
];
