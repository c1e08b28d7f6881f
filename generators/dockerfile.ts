import type { GeneratedFile } from '../src/file.ts';
import { chooseImage } from '../src/fly/images.ts';
import { PORT } from './shared.ts';

export const dockerfile: GeneratedFile = {
  name: 'dockerfile',
  summary: 'multi-stage image of the release, non-root',
  asks: ['base', 'psql'],
  outputs: ({ project, answers: { base, psql } }) => {
    const alpine = base === 'alpine';
    const image = chooseImage(project, base);
    const has = (folder: string) => [...project.tree.paths].some((path) => path.startsWith(`${folder}/`));
    const configs = new Map<string, string[]>();
    for (const file of project.config.files.filter((one) => one !== 'config/runtime.exs')) {
      const folder = file.replace(/[^/]*$/, '');
      configs.set(folder, [...(configs.get(folder) ?? []), file]);
    }
    const release = project.releaseName ?? project.otpApp;
    const assetsCommand = project.aliases.has('assets.deploy') ? 'mix assets.deploy' : has('priv/static') && 'mix phx.digest';
    return [
      {
        path: 'Dockerfile',
        template: 'Dockerfile',
        view: {
          alpine,
          release,
          elixir: image.elixir,
          otp: image.otp,
          os: image.os,
          osName: alpine ? 'Alpine' : 'Debian',
          osArg: alpine ? 'ALPINE_VERSION' : 'DEBIAN_VERSION',
          runnerImage: alpine ? 'alpine:${ALPINE_VERSION}' : 'debian:${DEBIAN_VERSION}-slim',
          builderImage: `elixir:\${ELIXIR_VERSION}-otp-\${OTP_VERSION}-${alpine ? 'alpine' : 'slim'}`,
          builderPackages: alpine ? 'build-base git' : 'build-essential ca-certificates git',
          runnerPackages: runnerPackages(alpine, psql),
          psqlStage: psql && !alpine,
          psqlReason: psql ? '; psql for a look into the database' : '',
          mixFiles: 'mix.exs mix.lock',
          mixReads: project.mixReads,
          configs: [...configs].map(([to, names]) => ({ to, files: names.join(' ') })),
          assetsSetup: project.aliases.has('assets.setup'),
          compileCommand: has('assets') || !assetsCommand ? 'mix compile' : `mix compile && ${assetsCommand}`,
          assetsCommand: has('assets') && assetsCommand,
          priv: has('priv'),
          assets: has('assets'),
          releaseCommand: project.releases.length > 1 ? `mix release ${release}` : 'mix release',
          port: PORT,
        },
      },
    ];
  },
};

function runnerPackages(alpine: boolean, psql: boolean): string {
  if (alpine) return ['ca-certificates libstdc++ ncurses-libs openssl', ...(psql ? ['postgresql-client'] : [])].join(' ');
  return ['ca-certificates libncurses6 libstdc++6 openssl', ...(psql ? ['libpq5 libreadline8'] : [])].join(' ');
}
