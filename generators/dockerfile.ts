import type { Present } from '../src/answers/questions.ts';
import { assets } from '../src/docker/asset-steps.ts';
import {
  buildNotes,
  depsCache,
  fetchCommands,
  fetchComments,
  mixTools,
  releaseTasks,
  writesBesideBuild,
} from '../src/docker/build-steps.ts';
import {
  builderCopies,
  configCopies,
  fileCopies,
  filesInCode,
  mixCopies,
  sourceFolders,
} from '../src/docker/copies.ts';
import { foldLines } from '../src/docker/fold.ts';
import { hasNodeStage, nodeImage, nodeStages } from '../src/docker/node-stages.ts';
import {
  builderPackages,
  packageNotes,
  runnerPackages,
  startsNode,
} from '../src/docker/packages.ts';
import { builtRelease } from '../src/docker/release-files.ts';
import { access, buildVariables, secretLines } from '../src/docker/secrets.ts';
import { mergeLines } from '../src/edit/lines.ts';
import { VERSION } from '../src/edit/version.ts';
import type { Project } from '../src/facts/detect.ts';
import { type Base, chooseImage } from '../src/fly/images.ts';
import type { Descriptor } from '../src/plan/file.ts';
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
    install: 'docker/apk',
  },
  debian: {
    osName: 'Debian',
    osArg: 'DEBIAN_VERSION',
    osRelease: '$VERSION_CODENAME',
    runnerImage: 'debian:${DEBIAN_VERSION}-slim',
    install: 'docker/apt',
  },
} as const;

export const dockerfile: Descriptor = {
  present,
  outputs: ({ project, answers: { base, release, psql }, command }) => [
    {
      path: 'Dockerfile',
      template: 'Dockerfile',
      merge: (before, rendered, onConflict) => mergeLines(before, foldLines(rendered), onConflict),
      view: {
        ...SYSTEMS[base],
        ...images(project, base),
        ...steps(project, release),
        version: VERSION,
        command: rerun(project, command),
        release,
        port: portOf(project),
        cacheName: cacheName(project),
        builderPackages: builderPackages(project, base),
        builderReason: project.deps.nif.length
          ? `git for git dependencies, compilers for native ones (${project.deps.nif.join(', ')})`
          : 'git for git dependencies, a C compiler for native ones',
        runnerPackages: runnerPackages(project, base, chooseImage(project, base).otp, psql),
        runnerReason: `, CA certificates for outgoing TLS${psql ? ', psql to look into the database' : ''}`,
        runnerCopies: [
          ...(startsNode(project) && hasNodeStage(project) ? [fromStage('node')] : []),
          ...(psql && base === 'debian' ? [fromStage('psql')] : []),
        ],
        stages: [
          ...nodeStages(project).map((stage) => ({ template: 'docker/node', ...stage })),
          ...(psql && base === 'debian' ? [{ template: 'docker/psql' }] : []),
        ],
      },
    },
  ],
  notes: ({ project, answers: { base, release } }) => [
    ...chooseImage(project, base).notes,
    ...packageNotes(project, base),
    ...buildNotes(project, release),
    ...(isOurs(project.tree.read('Dockerfile') ?? '')
      ? []
      : foreignNotes(project, packagesOf(project, base))),
    ...assets(project).notes,
  ],
};

/** How the file was written names the way to write it again; a run by the other way changes nothing. */
const rerun = ({ tree }: Project, command = 'npx plop'): string =>
  /^# Written by phoenix-fly .*\((npx (?:plop|phoenix-fly) dockerfile)\)/.exec(
    tree.read('Dockerfile') ?? '',
  )?.[1] ?? `${command} dockerfile`;

/** Of all stages. */
const packagesOf = (project: Project, base: Base): string[] =>
  `${builderPackages(project, base)} ${runnerPackages(project, base, chooseImage(project, base).otp, true)}`.split(
    ' ',
  );

const isOurs = (text: string): boolean => /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(text);

function present(project: Project): Present {
  const release = builtRelease(project);
  const text = project.tree.read('Dockerfile') ?? '';
  const [runner = ''] = text.split(/^FROM /m).slice(-1);
  return {
    ...(release !== undefined && { release }),
    ...(isOurs(text) && {
      base: /^ARG DEBIAN_VERSION=/m.test(text) ? 'debian' : 'alpine',
      psql: /^[^#\n]*(postgresql-client|--from=psql )/m.test(runner) ? 'yes' : 'no',
    }),
  };
}

/** The program of a stage that is named after it. */
const fromStage = (name: string): string => `--from=${name} /usr/local/bin/${name} /usr/local/bin/`;

/** Ids of the builder's caches hold it: Fly's builders are shared by the apps of an organization. */
const cacheName = (project: Project): string => project.app.otpApp.replace(/\W/g, '');

/** The versions at the top, and the images that they make. */
function images(project: Project, base: Base) {
  const { elixir, otp, os } = chooseImage(project, base);
  const node = nodeImage(project);
  const variant = base === 'alpine' ? 'alpine' : 'slim';
  return {
    elixir,
    otp,
    os,
    node: nodeStages(project).length ? node : null,
    builderImage: `elixir:\${ELIXIR_VERSION}-otp-\${OTP_VERSION}-${variant}`,
    nodeImage: `${node.image}:\${${node.arg}}-${variant}`,
  };
}

/** What is copied and run, stage by stage. */
function steps(project: Project, release: string) {
  const build = assets(project);
  const beside = writesBesideBuild(project);
  const folders = sourceFolders(project);
  const variables = buildVariables(project);
  return {
    mixTools: mixTools(project),
    configCopies: configCopies(project),
    codeHasFiles: filesInCode(project).length > 0,
    codeNames: codeNames(project),
    fileCopies: fileCopies(project),
    sourceFolders: folders.map(shellWord).join(' '),
    mixCopies: mixCopies(project),
    depsCache: depsCache(project),
    fetchComments: fetchComments(project),
    fetchLines: secretLines(variables, access(project)),
    fetch: fetchCommands(project, build),
    builderCopies: builderCopies(project, release, build),
    compile: beside === null ? 'docker/compile-changed' : 'docker/compile-all',
    writesBeside: beside,
    buildLines: secretLines(variables),
    build: releaseTasks(project, build, release).join(' + '),
  };
}

/** What Mix compiles when it changes, and in an umbrella what no macro reads. */
const codeNames = ({ umbrella }: Project): string =>
  `-name '*.ex' -o -name '*.heex'${umbrella ? " -o -path '*/assets/*' -o -path '*/test/*'" : ''}`;
