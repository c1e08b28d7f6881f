import table from '../fly/images.json' with { type: 'json' };
import { satisfiesRequirement } from '../fly/images.ts';
import { buildOf } from './dockerfile-build.ts';
import { type Dockerfile, rootStage, type Stage } from './dockerfile-model.ts';
import type { Read, Repo } from './repo.ts';
import { type Findings, found, type Missing, unless } from './verdict.ts';

/** The operating system that an image stands on. `release` undefined: the tag moves, or doesn't say. */
export interface System {
  family: 'alpine' | 'debian' | 'ubuntu';
  release: string | undefined;
  /** The tag names it; official Elixir tags don't, so theirs is what the dated table says. */
  exact: boolean;
}

/** Debian's releases by number, and what came before them: past their end of life (bullseye since 2026-08-31). */
const DEBIAN: Readonly<Record<string, string>> = {
  '9': 'stretch',
  '10': 'buster',
  '11': 'bullseye',
  '12': 'bookworm',
  '13': 'trixie',
};
const GONE = new Set(['jessie', 'stretch', 'buster', 'bullseye']);
const DEBIAN_NAMES = [...Object.values(DEBIAN), 'jessie', 'forky'];

const elixirs: Readonly<Record<string, number[]>> = table.elixir;
const systems = table.systems as Record<string, Record<string, string>>;

/** Reads image and tag; undefined for images that nothing is known about. */
export function systemOf(image: string): System | undefined {
  const [, name = '', tag = 'latest'] =
    /^(?:[\w.-]+\.[\w.-]+\/)?(?:library\/)?([\w./-]+?)(?::([^@]+))?(?:@.*)?$/.exec(image) ?? [];
  if (tag.includes('$')) return undefined;
  const alpine = /alpine-?(\d+\.\d+)/.exec(tag)?.[1];
  const debian = DEBIAN_NAMES.find((one) => new RegExp(`(^|-)${one}(-|$)`).test(tag));
  if (name === 'alpine')
    return { family: 'alpine', release: /^(\d+\.\d+)/.exec(tag)?.[1], exact: true };
  if (name === 'ubuntu')
    return {
      family: 'ubuntu',
      release: /^([a-z]+|\d+\.\d+)/.exec(tag)?.[1]?.replace(/^latest$/, '') || undefined,
      exact: true,
    };
  if (name === 'debian')
    return {
      family: 'debian',
      release: debian ?? DEBIAN[/^(\d+)/.exec(tag)?.[1] ?? ''],
      exact: true,
    };
  if (!/^(hexpm\/)?(elixir|erlang)$/.test(name)) return undefined;
  const ubuntu = /-ubuntu-([a-z]+)/.exec(tag)?.[1];
  if (ubuntu) return { family: 'ubuntu', release: ubuntu, exact: true };
  if (alpine) return { family: 'alpine', release: alpine, exact: true };
  if (debian) return { family: 'debian', release: debian, exact: true };
  const family = /alpine/.test(tag) ? 'alpine' : 'debian';
  const [, version = '', otp = ''] = /^(\d+\.\d+(?:\.\d+)?)-otp-(\d+)/.exec(tag) ?? [];
  // Tags of versions that are no longer built stay where they were, and the table doesn't know where
  const built = Object.entries(elixirs).some(
    ([one, otps]) =>
      (one === version || one.startsWith(`${version}.`)) && otps.includes(Number(otp)),
  );
  return { family, release: built ? systems[otp]?.[family] : undefined, exact: false };
}

const label = ({ family, release }: System): string =>
  `${{ alpine: 'Alpine', debian: 'Debian', ubuntu: 'Ubuntu' }[family]}${release ? ` ${release}` : ''}`;

/** Builder and runner on one release of one operating system that still has packages, at versions that mix.exs allows. */
export function baseImages({ project }: Repo, { path, file }: Read<Dockerfile>): Findings {
  const build = buildOf(file);
  const [builder, runner] = [rootStage(build.stage), rootStage(file.final)];
  const [builderSystem, runnerSystem] = [systemOf(builder.image), systemOf(runner.image)];
  const missing: Missing[] = [];
  const at = ({ line }: Stage, what: string, edit: string): Missing => ({
    what,
    edit,
    file: path,
    line: argLine(file, line),
  });
  const both = [
    [builder, builderSystem],
    [runner, runnerSystem],
  ] as const;
  for (const [stage, system] of both) {
    if (system?.release && GONE.has(system.release) && missing.length === 0)
      missing.push(
        at(
          stage,
          `Debian ${system.release} is past its end of life and its packages are gone, so apt-get fails`,
          'take trixie: change the version at the top, and libncurses5 to libncurses6',
        ),
      );
  }
  if (runnerSystem?.exact && !runnerSystem.release)
    missing.push(
      at(
        runner,
        `${runner.image} moves to a new release by itself, and then the Erlang VM misses its C libraries`,
        `name the builder's release${builderSystem?.release ? `: ${label(builderSystem)}` : ''}`,
      ),
    );
  else if (
    builderSystem?.release &&
    runnerSystem?.release &&
    (builderSystem.family !== runnerSystem.family || builderSystem.release !== runnerSystem.release)
  ) {
    missing.push(
      at(
        runner,
        `the builder stands on ${label(builderSystem)}, the runner on ${label(runnerSystem)}: the Erlang VM misses its C libraries at boot`,
        `change the runner to ${label(builderSystem)}`,
      ),
    );
  }
  if (
    builderSystem?.release &&
    !builderSystem.exact &&
    builder !== runner &&
    !build.steps.some((step) => /os-release/.test(step.text))
  ) {
    missing.push(
      at(
        builder,
        `${builder.image} moves to a new ${builderSystem.family === 'alpine' ? 'Alpine' : 'Debian'} now and then, and nothing in the build compares it with the runner`,
        'compare VERSION_ID of /etc/os-release in both and fail (`npx plop dockerfile` writes that), or take a hexpm/elixir tag, which names its release',
      ),
    );
  }
  const elixir = builderElixir(file);
  const wanted = project.elixir.requirements.find(
    (one) => elixir && !satisfiesRequirement(elixir, one),
  );
  if (wanted)
    missing.push(
      at(
        builder,
        `it builds with Elixir ${elixir}, and mix.exs asks for ${wanted}`,
        'change the Elixir version at the top',
      ),
    );
  for (const stage of new Set([builder, runner]))
    if (!stage.rawImage.includes('$') && /\d/.test(stage.rawImage))
      missing.push(
        at(
          stage,
          `the version of ${stage.rawImage} stands in the middle of the file`,
          `put it into an ARG in front of the first FROM, one for each version, and use it here: FROM …\${VERSION}`,
        ),
      );
  const doubtful = both.flatMap(([{ image }, system]) =>
    system && (system.release || system.exact) ? [] : [image],
  );
  return found(
    missing,
    unless(
      doubtful.length === 0,
      `what ${[...new Set(doubtful)].join(' and ')} stands on can't be told from the name`,
    ),
  );
}

/** The Elixir version that the builder's tag names. */
export const builderElixir = (file: Dockerfile): string | undefined =>
  /elixir:v?(\d+\.\d+(?:\.\d+)?)/.exec(rootStage(buildOf(file).stage).image)?.[1];

/** The version itself stands in an ARG, if there is one. */
function argLine(file: Dockerfile, line: number): number {
  const stage = file.stages.find((one) => one.line === line);
  const names = [...(stage?.rawImage ?? '').matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
  const used = names.flatMap((name) => file.args.get(name)?.line ?? []);
  return used.at(-1) ?? line;
}
