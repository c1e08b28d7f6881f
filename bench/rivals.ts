/** What a Dockerfile of the comparison needs to know about the app. */
export interface Build {
  builder: string;
  runner: string;
  release: string;
  /** mix aliases that the app has. */
  setup: boolean;
  deploy: boolean;
}

const onlyIf = (condition: boolean, text: string): string => (condition ? text : '');

/** A Dockerfile in the style of `mix phx.gen.release --docker`, written after its documentation (Phoenix 1.8, guides/deployment/releases.md). */
export const phxGenRelease = ({
  builder,
  runner,
  release,
  setup,
  deploy,
}: Build): string => `FROM ${builder} AS builder
RUN apt-get update \\
  && apt-get install -y --no-install-recommends build-essential git \\
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN mix local.hex --force --if-missing \\
  && mix local.rebar --force --if-missing
ENV MIX_ENV="prod"
COPY mix.exs mix.lock ./
RUN mix deps.get --only $MIX_ENV
RUN mkdir config
COPY config/config.exs config/$MIX_ENV.exs config/
RUN mix deps.compile
${onlyIf(setup, 'RUN mix assets.setup\n')}COPY priv priv
COPY lib lib
RUN mix compile
COPY assets assets
${onlyIf(deploy, 'RUN mix assets.deploy\n')}COPY config/runtime.exs config/
COPY rel rel
RUN mix release

FROM ${runner} AS final
RUN apt-get update \\
  && apt-get install -y --no-install-recommends libstdc++6 openssl libncurses6 locales ca-certificates \\
  && rm -rf /var/lib/apt/lists/*
RUN sed -i '/en_US.UTF-8/s/^# //g' /etc/locale.gen \\
  && locale-gen
ENV LANG=en_US.UTF-8 LANGUAGE=en_US:en LC_ALL=en_US.UTF-8
WORKDIR "/app"
RUN chown nobody /app
ENV MIX_ENV="prod" PHX_SERVER="true"
COPY --from=builder --chown=nobody:root /app/_build/\${MIX_ENV}/rel/${release} ./
USER nobody
CMD ["/app/bin/${release}", "start"]
`;
