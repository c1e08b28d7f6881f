import type { Present } from '../src/answers/questions.ts';
import { assetSteps } from '../src/docker/asset-steps.ts';
import { buildNotes, buildSteps } from '../src/docker/build-steps.ts';
import { copies, sourceFolders } from '../src/docker/copies.ts';
import { foldLines } from '../src/docker/fold.ts';
import { hasNodeStage, nodeImage, nodeStages } from '../src/docker/node-stages.ts';
import {
  builderPackages,
  packageNotes,
  runnerPackages,
  startsNode,
} from '../src/docker/packages.ts';
import { builtRelease } from '../src/docker/release-files.ts';
import type { Merge } from '../src/edit/conflict.ts';
import { mergeLines } from '../src/edit/lines.ts';
import { VERSION } from '../src/edit/version.ts';
import type { Project } from '../src/facts/detect.ts';
import { chooseImage } from '../src/fly/images.ts';
import type { Context, Descriptor } from '../src/plan/file.ts';
import { shellWord } from '../src/quote.ts';
import { foreignNotes } from './foreign-dockerfile.ts';
import { portOf } from './shared.ts';

/** What differs between the two base images. */
const SYSTEMS = {
  alpine: {
    osName: 'Alpine',
    osArg: 'ALPINE_VERSION',
    osRelease: '${VERSION_ID%.*}',
    runnerImage: 'alpine:${ALPINE_VERSION}',
    variant: 'alpine',
    install: 'docker/apk',
  },
  debian: {
    osName: 'Debian',
    osArg: 'DEBIAN_VERSION',
    osRelease: '$VERSION_CODENAME',
    runnerImage: 'debian:${DEBIAN_VERSION}-slim',
    variant: 'slim',
    install: 'docker/apt',
  },
} as const;

export const dockerfile: Descriptor = {
  present,
  outputs: (context) => {
    const merge: Merge = (before, rendered, onConflict) =>
      mergeLines(before, foldLines(rendered), onConflict);
    return [{ path: 'Dockerfile', template: 'Dockerfile', view: viewOf(context), merge }];
  },
  notes: ({ project, answers: { base } }) => [
    ...chooseImage(project, base).notes,
    ...packageNotes(project, base),
    ...buildNotes(project),
    ...(isOurs(project) ? [] : foreignNotes(project, base)),
    ...assetSteps(project).notes,
  ],
};

function viewOf({ project, answers: { base, release, psql }, command }: Context) {
  const assets = assetSteps(project);
  const { elixir, otp, os } = chooseImage(project, base);
  const stages = nodeStages(project);
  // What Mix compiles when it changes, and in an umbrella what no macro reads
  const codeNames = ["-name '*.ex'", "-name '*.heex'"];
  if (project.umbrella) codeNames.push("-path '*/assets/*'", "-path '*/test/*'");
  // Alpine's psql is a package
  const hasPsqlStage = psql && base === 'debian';
  return {
    ...SYSTEMS[base],
    elixir,
    otp,
    os,
    ...copies(project, release, assets.needsNode),
    ...buildSteps(project, release, assets),
    version: VERSION,
    command: rerunCommand(project, command),
    release,
    port: portOf(project),
    // Mix's variables go before deps_path and build_path of mix.exs (Mix.Project, seen in Elixir 1.14)
    folders: project.projects[0]?.movesFolders
      ? ' MIX_DEPS_PATH=/app/deps MIX_BUILD_PATH=/app/_build/prod'
      : '',
    // Ids of the builder's caches hold it: Fly's builders are shared by the apps of an organization
    cacheName: project.app.otpApp.replace(/\W/g, ''),
    node: stages.length ? nodeImage(project) : null,
    sourceFolders: sourceFolders(project).map(shellWord).join(' '),
    codeNames: codeNames.join(' -o '),
    builderPackages: builderPackages(project, base),
    native: project.deps.nif.join(', '),
    runnerPackages: runnerPackages(project, base, otp, psql),
    psql,
    runnerCopies: [
      ...(startsNode(project) && hasNodeStage(project) ? [fromStage('node')] : []),
      ...(hasPsqlStage ? [fromStage('psql')] : []),
    ],
    stages: [
      ...stages.map((stage) => ({ template: 'docker/node', ...stage })),
      ...(hasPsqlStage ? [{ template: 'docker/psql' }] : []),
    ],
  };
}

/** The program of a stage that is named after it. */
const fromStage = (name: string): string => `--from=${name} /usr/local/bin/${name} /usr/local/bin/`;

const textOf = ({ tree }: Project): string => tree.read('Dockerfile') ?? '';

/** The command in the head of the Dockerfile; one that is there stays, so that a run by the other command changes nothing. */
function rerunCommand(project: Project, command = 'npx plop'): string {
  const head = /^# Written by phoenix-fly .*\((npx (?:plop|phoenix-fly) dockerfile)\)/;
  const [, written] = head.exec(textOf(project)) ?? [];
  return written ?? `${command} dockerfile`;
}

const isOurs = (project: Project): boolean =>
  /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(textOf(project));

function present(project: Project): Present {
  const release = builtRelease(project);
  const text = textOf(project);
  const runner = text.split(/^FROM /m).at(-1) ?? '';
  return {
    ...(release !== undefined && { release }),
    ...(isOurs(project) && {
      base: /^ARG DEBIAN_VERSION=/m.test(text) ? 'debian' : 'alpine',
      psql: /^[^#\n]*(postgresql-client|--from=psql )/m.test(runner) ? 'yes' : 'no',
    }),
  };
}
