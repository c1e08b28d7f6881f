import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generated, replaceIn, resultFor, testTraps, umbrella } from './support/traps.ts';

testTraps(`
R1.1 dependencies after the code
- COPY mix.exs mix.lock ./
+ COPY lib lib
Dockerfile: COPY lib lib => COPY mix.exs mix.lock

R1.1 COPY . .
- COPY mix.exs mix.lock ./
+ COPY . .
Dockerfile: COPY . . => RUN mix deps.compile

R1.1 dependencies of every environment
- deps.get --only prod
+ deps.get
Dockerfile: RUN --mount => --only prod

R1.1 no cache mount
- --mount=type=cache
+ --network=default
Dockerfile: RUN --network => type=cache

R1.1 assets before compile
- compile + assets.deploy
+ assets.deploy + compile
Dockerfile: RUN --mount => below \`mix compile\`

R1.1 asset tools downloaded with each change
-  + assets.setup
+
Dockerfile: RUN --mount => RUN mix assets.setup

R1.1 a task that runs twice
- FROM os AS runner
+ RUN mix compile
+ FROM os AS runner
Dockerfile: RUN mix compile => remove

R1.2 a runner with Elixir in it
- FROM os AS runner
+ FROM deps AS runner
Dockerfile: FROM deps => plain operating system

R1.3 no CA certificates
- ca-certificates libstdc++
+ libstdc++
Dockerfile: RUN apk => ca-certificates

R1.4 root
- USER 65534:65534
+ USER root
Dockerfile: USER root => USER 65534

R1.4 code that the app can change
- COPY --from=builder
+ COPY --from=builder --chown=nobody
Dockerfile: COPY --from=builder --chown => remove --chown

R1.4 nowhere to write
-  RELEASE_TMP=/tmp
+
Dockerfile: USER => RELEASE_TMP

R1.4 a secret in the image
- WORKDIR /app
- ENV
+ WORKDIR /app
+ ARG GITHUB_TOKEN
+ ENV
Dockerfile: ARG GITHUB_TOKEN => type=secret,id=GITHUB_TOKEN

R1.4 ENV K V
- EXPOSE
+ ENV ERL_AFLAGS "-proto_dist inet6_tcp"
+ EXPOSE
Dockerfile: ENV ERL_AFLAGS => ENV ERL_AFLAGS="-proto_dist inet6_tcp"

R1.5 another port exposed
- EXPOSE 4000
+ EXPOSE 8080
Dockerfile: EXPOSE => EXPOSE 4000

R1.6 a shell between Fly and the VM
- CMD ["/app/bin/shop", "start"]
+ CMD /app/bin/shop start
Dockerfile: CMD => CMD ["/app/bin/shop", "start"]

R1.6 no PHX_SERVER
- PHX_SERVER=true
+ OTHER=1
Dockerfile: CMD => ENV PHX_SERVER=true

B1 builder and runner drift apart
- ALPINE_VERSION=3.24
+ ALPINE_VERSION=3.20
Dockerfile: ARG ALPINE_VERSION => Alpine 3.24

B1 an Elixir that mix.exs refuses
- ELIXIR_VERSION=1.18
+ ELIXIR_VERSION=1.13
Dockerfile: ARG => Elixir version

B1 a runner tag that moves
- alpine:\${ALPINE_VERSION}
+ alpine:latest
Dockerfile: FROM alpine => Alpine 3.24

B2 latin1
- LANG=C.UTF-8
+ OTHER=1
Dockerfile: CMD => ENV LANG=C.UTF-8

B3 mix.lock left behind
- COPY mix.exs mix.lock ./
+ COPY mix.exs ./
Dockerfile: RUN --mount => COPY mix.lock

B4 a private package without a key
--- mix.exs
- {:bandit, "~> 1.5"}
+ {:bandit, "~> 1.5"}, {:oban_pro, "~> 1.5", repo: "oban"}
Dockerfile: RUN --mount => build-secret

B5 the repository let in again
- fly.toml
+ fly.toml
+ !.git
.dockerignore: !.git => remove this line

B6 rel kept out
- test
+ test
+ rel/
.dockerignore: rel/ => remove the line \`rel/\`

B1 nothing compares builder and runner
- /etc/os-release
+ /etc/issue
Dockerfile: ARG OTP_VERSION => VERSION_ID of /etc/os-release

R1.1 dependencies compiled with the code
-  + deps.loadpaths
+
Dockerfile: COPY => RUN mix deps.compile

R1.1 packages of Node downloaded again
- FROM os AS runner
+ FROM node:22-slim AS node
+ RUN npm --prefix assets ci
+ FROM os AS runner
Dockerfile: RUN npm => type=cache

R1.2 Mix in the image
- EXPOSE 4000
+ RUN mix phx.digest
+ EXPOSE 4000
Dockerfile: RUN mix phx.digest => builder stage

R1.2 sources in the image
- EXPOSE 4000
+ COPY lib /src
+ EXPOSE 4000
Dockerfile: COPY lib /src => rel/shop

R1.2 the whole build in the image
- --from=builder /release ./
+ --from=builder /app ./
Dockerfile: COPY --from=builder /app ./ => _build/prod/rel/shop

R1.2 a compiler in the image
- ca-certificates libstdc++
+ build-base ca-certificates libstdc++
Dockerfile: RUN apk add --no-cache build-base ca => builder stage

B4 a dependency over ssh without a key
--- mix.exs
- {:bandit, "~> 1.5"}
+ {:bandit, "~> 1.5"}, {:inner, git: "git@github.com:acme/inner.git"}
Dockerfile: RUN --mount => insteadOf git@github.com

R1.4 a folder that belongs to the app
- EXPOSE 4000
+ RUN chown nobody /app
+ EXPOSE 4000
Dockerfile: RUN chown => this chown

R1.6 mix instead of a release
- CMD ["/app/bin/shop", "start"]
+ CMD ["mix", "phx.server"]
Dockerfile: CMD ["mix" => "/app/bin/shop", "start"

R1.6 IPv6 between nodes everywhere
- RELEASE_TMP=/tmp
+ RELEASE_TMP=/tmp ERL_AFLAGS="-proto_dist inet6_tcp"
Dockerfile: ENV LANG => npx plop env-sh

R1.3 libncurses5 on trixie
--base debian
- DEBIAN_VERSION=bookworm
+ DEBIAN_VERSION=trixie
--- Dockerfile
- libncurses6
+ libncurses5
Dockerfile: RUN apt-get => libncurses6

B1 bullseye
--base debian
- DEBIAN_VERSION=bookworm
+ DEBIAN_VERSION=bullseye
Dockerfile: ARG DEBIAN_VERSION => trixie

B2 a locale that nothing makes
--base debian
- LANG=C.UTF-8
+ LANG=en_US.UTF-8
Dockerfile: CMD => C.UTF-8

B3 an imported config left behind
--- config/extra.exs
+ import Config
--- config/prod.exs
- import Config
+ import Config
+ import_config "extra.exs"
Dockerfile: RUN --mount => COPY config/extra.exs config/

B3 rel copied, but not there
--- rel/env.sh.eex
--- rel/overlays/bin/migrate
Dockerfile: COPY rel => commit it

B3 packages of Node that nobody installs
--- assets/package.json
+ {"dependencies":{"topbar":"1"}}
--- assets/package-lock.json
+ {}
Dockerfile: RUN --mount => npm ci

B4 a git dependency without git
- build-base git
+ build-base
--- mix.exs
- {:bandit, "~> 1.5"}
+ {:bandit, "~> 1.5"}, {:heroicons, github: "tailwindlabs/heroicons"}
Dockerfile: RUN --mount => install git

B5 .env not kept out
- **/.env*
+ .env.local
.dockerignore: # Secrets => **/.env*

B3 priv after compile
- COPY priv priv
+
--- Dockerfile
- FROM os AS runner
+ COPY priv priv
+ FROM os AS runner
Dockerfile: COPY priv priv => move this line above

B3 a variable that the build insists on
--- config/prod.exs
+ import Config
+
+ config :shop, key: System.fetch_env!("LICENCE")
config/prod.exs: config :shop, key => build-secret LICENCE

R1.6 a script that does not exec
--- Dockerfile
- CMD ["/app/bin/shop", "start"]
+ CMD ["/app/bin/server"]
--- rel/overlays/bin/server
+ #!/bin/sh
+ PHX_SERVER=true ./shop start
rel/overlays/bin/server: PHX_SERVER=true => \`exec\` in front

R1.2 one stage
- FROM os AS runner
+
--- Dockerfile
- COPY --from=builder /release ./
+
Dockerfile: FROM deps => add a last stage
`);

testTraps(
  `
B3 an app of the umbrella left behind
--- Dockerfile
-  apps/web/mix.exs
+
Dockerfile: RUN --mount => COPY apps/web/mix.exs apps/web/

B3 an umbrella without a release
- , releases: [shop: [applications: [web: :permanent]]]
+
mix.exs: defmodule Shops => [applications: [web: :permanent]]]
`,
  umbrella,
);

test("a script with CRLF is a must, as it can't start", () => {
  const texts = replaceIn(generated(), 'rel/overlays/bin/migrate', '\n', '\r\n');
  const [finding] = resultFor(texts, 'R1.6').findings;
  assert.is(`${finding?.weight} ${finding?.file}`, 'must rel/overlays/bin/migrate');
});

test.run();
