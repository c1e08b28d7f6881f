import { test } from 'uvu';
import { FLAGS } from './support.ts';
import { generated, spoil, testTraps, umbrella } from './traps.ts';

const DOCKERFILE = 'Dockerfile';

testTraps([
  [
    'dependencies after the code (A32)',
    () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY lib lib'),
    'R1.1',
    'Dockerfile: COPY lib lib',
    /COPY mix.exs mix.lock/,
  ],
  [
    'COPY . . (A18)',
    () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY . .'),
    'R1.1',
    'Dockerfile: COPY . .',
    /RUN mix deps.compile/,
  ],
  [
    'dependencies of every environment',
    () => spoil(generated(), DOCKERFILE, 'deps.get --only prod', 'deps.get'),
    'R1.1',
    'Dockerfile: RUN --mount',
    /--only prod/,
  ],
  [
    'no cache mount',
    () => spoil(generated(), DOCKERFILE, '--mount=type=cache', '--network=default'),
    'R1.1',
    'Dockerfile: RUN --network',
    /type=cache/,
  ],
  [
    'assets before compile (A14)',
    () => spoil(generated(), DOCKERFILE, 'compile + assets.deploy', 'assets.deploy + compile'),
    'R1.1',
    'Dockerfile: RUN --mount',
    /below `mix compile`/,
  ],
  [
    'asset tools downloaded with each change (A15)',
    () => spoil(generated(), DOCKERFILE, ' + assets.setup', ''),
    'R1.1',
    'Dockerfile: RUN --mount',
    /RUN mix assets.setup/,
  ],
  [
    'a task that runs twice',
    () => spoil(generated(), DOCKERFILE, 'FROM os AS runner', 'RUN mix compile\nFROM os AS runner'),
    'R1.1',
    'Dockerfile: RUN mix compile',
    /remove/,
  ],
  [
    'a runner with Elixir in it',
    () => spoil(generated(), DOCKERFILE, 'FROM os AS runner', 'FROM deps AS runner'),
    'R1.2',
    'Dockerfile: FROM elixir',
    /plain operating system/,
  ],
  [
    'one stage',
    () =>
      spoil(
        generated(),
        DOCKERFILE,
        (generated()[DOCKERFILE] ?? '').slice(
          (generated()[DOCKERFILE] ?? '').indexOf('FROM os AS runner'),
        ),
        'CMD ["/app/_build/prod/rel/shop/bin/shop", "start"]',
      ),
    'R1.2',
    'Dockerfile: FROM deps',
    /stage of its own/,
  ],
  [
    'a Node stage for nothing (A13)',
    () =>
      spoil(
        generated(),
        DOCKERFILE,
        'FROM os AS runner',
        'FROM node:22-slim AS node\nFROM os AS runner',
      ),
    'R1.2',
    'Dockerfile: FROM node',
    /remove the stage/,
  ],
  [
    'no CA certificates',
    () => spoil(generated(), DOCKERFILE, 'ca-certificates libstdc++', 'libstdc++'),
    'R1.3',
    'Dockerfile: RUN apk',
    /ca-certificates/,
  ],
  [
    'libncurses5 on trixie (A12)',
    () =>
      spoil(
        spoil(
          generated({ ...FLAGS, base: 'debian' }),
          DOCKERFILE,
          'DEBIAN_VERSION=bookworm',
          'DEBIAN_VERSION=trixie',
        ),
        DOCKERFILE,
        'libncurses6',
        'libncurses5',
      ),
    'R1.3',
    'Dockerfile: RUN apt-get',
    /libncurses6/,
  ],
  [
    'root',
    () => spoil(generated(), DOCKERFILE, 'USER 65534:65534', 'USER root'),
    'R1.4',
    'Dockerfile: USER root',
    /USER 65534/,
  ],
  [
    'code that the app can change',
    () =>
      spoil(generated(), DOCKERFILE, 'COPY --from=builder', 'COPY --from=builder --chown=nobody'),
    'R1.4',
    'Dockerfile: COPY --from=builder --chown',
    /remove --chown/,
  ],
  [
    'nowhere to write',
    () => spoil(generated(), DOCKERFILE, ' RELEASE_TMP=/tmp', ''),
    'R1.4',
    'Dockerfile: USER',
    /RELEASE_TMP/,
  ],
  [
    'a secret in the image (A27)',
    () =>
      spoil(generated(), DOCKERFILE, 'WORKDIR /app\nENV', 'WORKDIR /app\nARG GITHUB_TOKEN\nENV'),
    'R1.4',
    'Dockerfile: ARG GITHUB_TOKEN',
    /type=secret,id=GITHUB_TOKEN/,
  ],
  [
    'ENV K V (A30)',
    () =>
      spoil(generated(), DOCKERFILE, 'EXPOSE', 'ENV ERL_AFLAGS "-proto_dist inet6_tcp"\nEXPOSE'),
    'R1.4',
    'Dockerfile: ENV ERL_AFLAGS',
    /ENV ERL_AFLAGS="-proto_dist inet6_tcp"/,
  ],
  [
    'another port exposed (A3)',
    () => spoil(generated(), DOCKERFILE, 'EXPOSE 4000', 'EXPOSE 8080'),
    'R1.5',
    'Dockerfile: EXPOSE',
    /EXPOSE 4000/,
  ],
  [
    'a shell between Fly and the VM',
    () =>
      spoil(generated(), DOCKERFILE, 'CMD ["/app/bin/shop", "start"]', 'CMD /app/bin/shop start'),
    'R1.6',
    'Dockerfile: CMD',
    /CMD \["\/app\/bin\/shop", "start"\]/,
  ],
  [
    'no PHX_SERVER (A3)',
    () => spoil(generated(), DOCKERFILE, 'PHX_SERVER=true', 'OTHER=1'),
    'R1.6',
    'Dockerfile: CMD',
    /ENV PHX_SERVER=true/,
  ],
  [
    'bullseye (A12)',
    () =>
      spoil(
        generated({ ...FLAGS, base: 'debian' }),
        DOCKERFILE,
        'DEBIAN_VERSION=bookworm',
        'DEBIAN_VERSION=bullseye',
      ),
    'B1',
    'Dockerfile: ARG DEBIAN_VERSION',
    /trixie/,
  ],
  [
    'builder and runner drift apart (A12)',
    () => spoil(generated(), DOCKERFILE, 'ALPINE_VERSION=3.24', 'ALPINE_VERSION=3.20'),
    'B1',
    'Dockerfile: ARG ALPINE_VERSION',
    /Alpine 3.24/,
  ],
  [
    'an Elixir that mix.exs refuses (A11)',
    () => spoil(generated(), DOCKERFILE, 'ELIXIR_VERSION=1.18', 'ELIXIR_VERSION=1.13'),
    'B1',
    'Dockerfile: ARG',
    /Elixir version/,
  ],
  [
    'a runner tag that moves',
    () => spoil(generated(), DOCKERFILE, 'alpine:${ALPINE_VERSION}', 'alpine:latest'),
    'B1',
    'Dockerfile: FROM alpine',
    /Alpine 3.24/,
  ],
  [
    'latin1 (A31)',
    () => spoil(generated(), DOCKERFILE, 'LANG=C.UTF-8', 'OTHER=1'),
    'B2',
    'Dockerfile: CMD',
    /ENV LANG=C.UTF-8/,
  ],
  [
    'a locale that nothing makes (A31)',
    () =>
      spoil(
        generated({ ...FLAGS, base: 'debian' }),
        DOCKERFILE,
        'LANG=C.UTF-8',
        'LANG=en_US.UTF-8',
      ),
    'B2',
    'Dockerfile: CMD',
    /C.UTF-8/,
  ],
  [
    'mix.lock left behind (A18)',
    () => spoil(generated(), DOCKERFILE, 'COPY mix.exs mix.lock ./', 'COPY mix.exs ./'),
    'B3',
    'Dockerfile: RUN --mount',
    /COPY mix.lock/,
  ],
  [
    'an imported config left behind (A17)',
    () =>
      spoil(
        { ...generated(), 'config/extra.exs': 'import Config\n' },
        'config/prod.exs',
        'import Config\n',
        'import Config\nimport_config "extra.exs"\n',
      ),
    'B3',
    'Dockerfile: RUN --mount',
    /COPY config\/extra.exs config\//,
  ],
  [
    'rel copied, but not there (A16)',
    () =>
      Object.fromEntries(Object.entries(generated()).filter(([path]) => !path.startsWith('rel/'))),
    'B3',
    'Dockerfile: COPY rel',
    /npx plop env-sh/,
  ],
  [
    'packages of Node that nobody installs (A13)',
    () => ({
      ...generated(),
      'assets/package.json': '{"dependencies":{"topbar":"1"}}',
      'assets/package-lock.json': '{}',
    }),
    'B3',
    'Dockerfile: RUN --mount',
    /npm ci/,
  ],
  [
    'an app of the umbrella left behind (A20)',
    () => spoil(umbrella(), DOCKERFILE, ' apps/web/mix.exs', ''),
    'B3',
    'Dockerfile: RUN --mount',
    /COPY apps\/web\/mix.exs apps\/web\//,
  ],
  [
    'a private package without a key (A27)',
    () =>
      spoil(
        generated(),
        'mix.exs',
        '{:bandit, "~> 1.5"}',
        '{:bandit, "~> 1.5"}, {:oban_pro, "~> 1.5", repo: "oban"}',
      ),
    'B4',
    'Dockerfile: RUN --mount',
    /build-secret/,
  ],
  [
    'a git dependency without git',
    () =>
      spoil(
        spoil(
          generated(),
          'mix.exs',
          '{:bandit, "~> 1.5"}',
          '{:bandit, "~> 1.5"}, {:heroicons, github: "tailwindlabs/heroicons"}',
        ),
        DOCKERFILE,
        'build-base git',
        'build-base',
      ),
    'B4',
    'Dockerfile: RUN --mount',
    /install git/,
  ],
  [
    '.env not kept out (A26)',
    () => spoil(generated(), '.dockerignore', '**/.env*\n', '.env.local\n'),
    'B5',
    '.dockerignore: # Secrets',
    /^add at the top:\n\*\*\/\.env\*$/,
  ],
  [
    'the repository let in again',
    () => spoil(generated(), '.dockerignore', 'fly.toml\n', 'fly.toml\n!.git\n'),
    'B5',
    '.dockerignore: !.git',
    /remove this line/,
  ],
  [
    'rel kept out (A26)',
    () => spoil(generated(), '.dockerignore', 'test\n', 'test\nrel/\n'),
    'B6',
    '.dockerignore: rel/',
    /remove the line `rel\/`/,
  ],
  [
    'nothing compares builder and runner',
    () => spoil(generated(), DOCKERFILE, '/etc/os-release', '/etc/issue'),
    'B1',
    'Dockerfile: ARG OTP_VERSION',
    /VERSION_ID of \/etc\/os-release/,
  ],
  [
    'a version in the middle of the file',
    () => spoil(generated(), DOCKERFILE, 'FROM alpine:${ALPINE_VERSION}', 'FROM alpine:3.24'),
    'B1',
    'Dockerfile: FROM alpine:3.24',
    /ARG in front of the first FROM/,
  ],
  [
    'dependencies compiled with the code',
    () => spoil(generated(), DOCKERFILE, ' + deps.loadpaths', ''),
    'R1.1',
    'Dockerfile: COPY',
    /RUN mix deps.compile/,
  ],
  [
    'packages of Node downloaded again',
    () =>
      spoil(
        generated(),
        DOCKERFILE,
        'FROM os AS runner',
        'FROM node:22-slim AS node\nRUN npm --prefix assets ci\nFROM os AS runner',
      ),
    'R1.1',
    'Dockerfile: RUN npm',
    /type=cache/,
  ],
  [
    'Mix in the image',
    () => spoil(generated(), DOCKERFILE, 'EXPOSE 4000', 'RUN mix phx.digest\nEXPOSE 4000'),
    'R1.2',
    'Dockerfile: RUN mix phx.digest',
    /builder stage/,
  ],
  [
    'sources in the image',
    () => spoil(generated(), DOCKERFILE, 'EXPOSE 4000', 'COPY lib /src\nEXPOSE 4000'),
    'R1.2',
    'Dockerfile: COPY lib /src',
    /rel\/shop/,
  ],
  [
    'the whole build in the image',
    () => spoil(generated(), DOCKERFILE, '--from=builder /release ./', '--from=builder /app ./'),
    'R1.2',
    'Dockerfile: COPY --from=builder /app ./',
    /_build\/prod\/rel\/shop/,
  ],
  [
    'a compiler in the image',
    () =>
      spoil(
        generated(),
        DOCKERFILE,
        'ca-certificates libstdc++',
        'build-base ca-certificates libstdc++',
      ),
    'R1.2',
    'Dockerfile: RUN apk add --no-cache build-base ca',
    /builder stage/,
  ],
  [
    'priv after compile (A19)',
    () =>
      spoil(
        spoil(generated(), DOCKERFILE, 'COPY priv priv\n', ''),
        DOCKERFILE,
        'FROM os AS runner',
        'COPY priv priv\nFROM os AS runner',
      ),
    'B3',
    'Dockerfile: COPY priv priv',
    /move this line above/,
  ],
  [
    'an umbrella without a release (A20)',
    () => spoil(umbrella(), 'mix.exs', ', releases: [shop: [applications: [web: :permanent]]]', ''),
    'B3',
    'mix.exs: defmodule Shops',
    /releases: \[\w+: \[applications: \[web: :permanent\]\]\]/,
  ],
  [
    'a variable that the build insists on (A17)',
    () => ({
      ...generated(),
      'config/prod.exs': 'import Config\n\nconfig :shop, key: System.fetch_env!("LICENCE")\n',
    }),
    'B3',
    'config/prod.exs: config :shop, key',
    /build-secret LICENCE/,
  ],
  [
    'a dependency over ssh without a key (A27)',
    () =>
      spoil(
        generated(),
        'mix.exs',
        '{:bandit, "~> 1.5"}',
        '{:bandit, "~> 1.5"}, {:inner, git: "git@github.com:acme/inner.git"}',
      ),
    'B4',
    'Dockerfile: RUN --mount',
    /insteadOf git@github.com/,
  ],
  [
    'a folder that belongs to the app',
    () => spoil(generated(), DOCKERFILE, 'EXPOSE 4000', 'RUN chown nobody /app\nEXPOSE 4000'),
    'R1.4',
    'Dockerfile: RUN chown',
    /this chown/,
  ],
  [
    'mix instead of a release',
    () =>
      spoil(generated(), DOCKERFILE, 'CMD ["/app/bin/shop", "start"]', 'CMD ["mix", "phx.server"]'),
    'R1.6',
    'Dockerfile: CMD ["mix"',
    /"\/app\/bin\/shop", "start"/,
  ],
  [
    'a script that does not exec',
    () => ({
      ...spoil(
        generated(),
        DOCKERFILE,
        'CMD ["/app/bin/shop", "start"]',
        'CMD ["/app/bin/server"]',
      ),
      'rel/overlays/bin/server': '#!/bin/sh\nPHX_SERVER=true ./shop start\n',
    }),
    'R1.6',
    'rel/overlays/bin/server: PHX_SERVER=true',
    /`exec` in front/,
  ],
  [
    'IPv6 between nodes everywhere (A23)',
    () =>
      spoil(
        generated(),
        DOCKERFILE,
        'RELEASE_TMP=/tmp',
        'RELEASE_TMP=/tmp ERL_AFLAGS="-proto_dist inet6_tcp"',
      ),
    'R1.6',
    'Dockerfile: ENV LANG',
    /npx plop env-sh/,
  ],
]);

test.run();
