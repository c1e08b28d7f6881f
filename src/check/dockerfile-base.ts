import { satisfiesRequirement } from '../fly/images.ts';
import type { Dockerfile } from './dockerfile-model.ts';
import { DEBIANS, neverExisted } from './image-name.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const b1 = rulesFor(DOCKERFILE, 'B1');

const rootsOf = ({ build, final }: Dockerfile) => [build.stage.root, final.root];

/** The Elixir version that the builder's tag names. */
export const builderElixir = ({ build }: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(build.stage.root.image)?.[1];

/** Past their end of life; bullseye since 2026-08-31: its package lists answer 404. */
const GONE = DEBIANS.slice(0, DEBIANS.indexOf('bookworm'));

/** Builder and runner on different systems. A newer release still has the C library that the VM was linked to. */
function drift({ build, final }: Dockerfile) {
  const [from, to] = [build.stage.root.system, final.root.system];
  if (!from?.release || !to?.release || from.label === to.label) return undefined;
  const age = (release: string) => DEBIANS.indexOf(release) + Number(release.split('.')[1] ?? 0);
  const newer = from.family === to.family && age(to.release) > age(from.release);
  const weight: Weight = newer ? 'should' : 'must';
  return { line: final.root.line, weight, from: from.label, to: to.label };
}

/** B1: builder and runner on one release of one operating system that still has packages, at versions that mix.exs allows. */
export const baseRules: readonly Rule[] = [
  b1.must(
    (file) => rootsOf(file).find(({ system }) => GONE.includes(system?.release ?? '')),
    ({ system }) => `${system?.label}'s packages are gone (end of life), so apt-get fails`,
    'take trixie: change the version at the top, and libncurses5 to libncurses6',
  ),
  b1.must(
    (file) => rootsOf(file).find(({ image }) => neverExisted(image)),
    ({ image }) => `there is no image ${image}: ${neverExisted(image)}`,
    'take a tag that hub.docker.com lists',
  ),
  b1.should(
    ({ build, final: { root } }) =>
      root.system?.exact && !root.system.release && { ...root, builder: build.stage.root.system },
    ({ image }) =>
      `${image} changes to another release by itself, and then differs from the builder's`,
    ({ builder }) => `name the release of ${builder?.label ?? 'the builder'}`,
  ),
  b1.must(
    drift,
    ({ from, to }) => `the VM is built on ${from} and misses C libraries on ${to}`,
    ({ from }) => `change the runner to ${from}`,
  ),
  b1.should(
    ({ build, final }) => {
      const { root } = build.stage;
      const compared = build.steps.some(({ text }) => text.includes('os-release'));
      const moves = root.system?.release && !root.system.exact && root !== final.root;
      return moves && !compared && root;
    },
    ({ image }) => `${image} changes to a new system now and then, and the runner does not`,
    'compare VERSION_ID of /etc/os-release in both (`npx plop dockerfile` writes that), or take a hexpm/elixir tag, which names its system',
  ),
  b1.must(
    (file, { project }) => {
      const elixir = builderElixir(file);
      const refuses = (wanted: string) => elixir && !satisfiesRequirement(elixir, wanted);
      const wanted = project.elixir.requirements.find(refuses);
      return wanted && { line: file.build.stage.root.line, elixir, wanted };
    },
    ({ elixir, wanted }) => `it builds with Elixir ${elixir}, and mix.exs asks for ${wanted}`,
    'change the Elixir version at the top',
  ),
  b1.should((file) => {
    const unknown = rootsOf(file).filter(({ system }) => !system?.release && !system?.exact);
    const names = [...new Set(unknown.map(({ image }) => image))].join(' and ');
    return names && new Doubt(`what ${names} stands on can't be told from the name`);
  }),
];
