import semver from 'semver';
import type { Present } from '../src/answers/questions.ts';
import { assets } from '../src/docker/asset-steps.ts';
import {
  codeCopies,
  configCopies,
  hasFolder,
  mixCopies,
  runtimeCopies,
} from '../src/docker/copies.ts';
import { nodeImage, nodeStages } from '../src/docker/node-stages.ts';
import { builderPackages, glibcReasons, runnerPackages } from '../src/docker/packages.ts';
import { builtRelease, relFolder } from '../src/docker/release-files.ts';
import { reuse } from '../src/docker/reuse.ts';
import { access, buildVariables, exportsOf, mounts } from '../src/docker/secrets.ts';
import { mergeLines } from '../src/edit/lines.ts';
import type { Project } from '../src/facts/detect.ts';
import { chooseImage } from '../src/fly/images.ts';
import type { GeneratedFile } from '../src/plan/file.ts';
import { VERSION } from '../src/plan/version.ts';
import { copyPaths } from '../src/quote.ts';
import { portOf } from './shared.ts';

export const dockerfile: GeneratedFile = {
  name: 'dockerfile',
  summary: 'multi-stage image of the release, non-root',
  asks: ['base', 'release', 'psql'],
  present,
  outputs: ({ project, answers: { base, release, psql } }) => {
    const alpine = base === 'alpine';
    const image = chooseImage(project, base);
    const build = assets(project);
    const node = nodeStages(project);
    const { arg, version, image: nodeName } = nodeImage(project);
    const deps = access(project);
    const variables = buildVariables(project);
    const folders = assetFolders(project);
    // The app in it: a builder is shared by the apps of an organization
    const cacheFolder = `/cache/${project.app.otpApp.replace(/\W/g, '')}`;
    // One start of Mix instead of several; Elixir before 1.14 joins by commas
    const together = (tasks: readonly string[]): string =>
      `mix do ${tasks.join(semver.lt(image.elixir, '1.14.0') ? ', ' : ' + ')}`;
    // An umbrella's own apps come later, with their code
    const getDeps = together([
      'deps.get --only prod',
      'deps.clean --unused',
      project.umbrella ? 'deps.compile --skip-umbrella-children' : 'deps.loadpaths',
    ]);
    const last = [
      'mix compile',
      ...build.commands,
      project.release.names.length > 1 ? `mix release ${release}` : 'mix release',
    ];
    const setup = project.umbrella ? '' : (build.setup ?? '');
    return [
      {
        path: 'Dockerfile',
        template: 'Dockerfile',
        merge: mergeLines,
        view: {
          version: VERSION,
          alpine,
          release,
          elixir: image.elixir,
          otp: image.otp,
          os: image.os,
          osName: alpine ? 'Alpine' : 'Debian',
          osArg: alpine ? 'ALPINE_VERSION' : 'DEBIAN_VERSION',
          runnerImage: alpine ? 'alpine:${ALPINE_VERSION}' : 'debian:${DEBIAN_VERSION}-slim',
          builderImage: `elixir:\${ELIXIR_VERSION}-otp-\${OTP_VERSION}-${alpine ? 'alpine' : 'slim'}`,
          builderPackages: builderPackages(project, base),
          builderReason: project.deps.nif.length
            ? `git for git dependencies, compilers for native ones (${project.deps.nif.join(', ')})`
            : 'git for git dependencies, a C compiler for native ones',
          runnerPackages: runnerPackages(project, base, psql),
          psqlStage: psql && !alpine,
          psqlReason: psql ? '; psql for a look into the database' : '',
          mixCopies: mixCopies(project),
          depsMounts: mounts(deps.secrets),
          depsGet: [...deps.before, getDeps, ...deps.after].join(' \\\n    && '),
          node,
          nodeImage: { arg, version, from: `${nodeName}:\${${arg}}-${alpine ? 'alpine' : 'slim'}` },
          configCopies: configCopies(project),
          cacheFolder,
          cache: `--mount=type=cache,target=${cacheFolder}`,
          reuse: reuse(project),
          envMounts: mounts(variables),
          env: exportsOf(variables),
          assetsSetup: setup,
          setupPragma: pragma(setup),
          codeCopies: codeCopies(project),
          assetCopies: [
            ...(build.needsNode ? ['--from=node /usr/local /usr/local'] : []),
            ...node.flatMap(({ name, modules }) =>
              modules.map((folder) => `--from=${name} ${folder} ${folder}`),
            ),
            ...folders.map((folder) => copyPaths([folder, folder])),
            ...bundlerFiles(project),
          ],
          runtimeCopies: runtimeCopies(project),
          relCopy: copyPaths([relFolder(project, release), relFolder(project, release)]),
          finish: last.every((command) => /^mix (?!do )/.test(command))
            ? together(last.map((command) => command.slice('mix '.length)))
            : last.join(' \\\n    && '),
          port: portOf(project),
        },
      },
    ];
  },
  notes: ({ project, answers: { base } }) => {
    const glibc = glibcReasons(project);
    return [
      ...(glibc.length
        ? [
            base === 'debian'
              ? `Debian was taken, because ${glibc.join(', ')} come as binaries for glibc only.`
              : `${glibc.join(', ')} come as binaries for glibc only and will not run on Alpine; --base debian is the base for this app.`,
          ]
        : []),
      ...assets(project).notes,
    ];
  },
};

function present(project: Project): Present {
  const release = builtRelease(project);
  const text = project.tree.read('Dockerfile') ?? '';
  const isOurs = /^#.*(Written by phoenix-fly|phoenix-fly: )/m.test(text);
  const [runner = ''] = text.split(/^FROM /m).slice(-1);
  return {
    ...(release !== undefined && { release }),
    ...(isOurs && {
      base: /^ARG DEBIAN_VERSION=/m.test(text) ? 'debian' : 'alpine',
      psql: /^[^#\n]*(postgresql-client|--from=psql )/m.test(runner) ? 'yes' : 'no',
    }),
  };
}

/** shellcheck takes the `do` of `mix do` for its own. */
const pragma = (command: string): string =>
  command.includes('mix do ') ? '# hadolint ignore=SC1010\n' : '';

/** Where the asset sources lie; an umbrella's come with its apps. */
function assetFolders(project: Project): string[] {
  if (project.umbrella) return [];
  const folders = [
    'assets',
    ...project.assets.nodePackages.map(({ dir }) => dir).filter((dir) => dir !== '.'),
  ];
  return [...new Set(folders)].filter((folder) => hasFolder(project, folder));
}

/** Settings of bundlers beside a package.json at the top. */
function bundlerFiles(project: Project): string[] {
  if (!project.assets.nodePackages.some(({ dir }) => dir === '.')) return [];
  const files = [...project.tree.paths].filter((path) =>
    /^(package\.json|[\w.-]*config[\w.-]*\.[cm]?[jt]s|tsconfig[\w.-]*\.json|build\.[cm]?js|\.babelrc|\.postcssrc[\w.]*|\.browserslistrc)$/.test(
      path,
    ),
  );
  return files.length ? [copyPaths([...files, './'])] : [];
}
