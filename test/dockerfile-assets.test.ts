/** Dockerfiles of apps with npm packages, bundlers and steps of assets.deploy. */
import { test } from 'uvu';
import { testDockerfiles, withPart } from './support/dockerfile.ts';
import {
  alias,
  appModule,
  deploys,
  type Edit,
  mix,
  NO_ALIAS,
  NPM,
  RELEASES,
  umbrella,
  withLock,
} from './support/shop-changes.ts';

const SSR = appModule('SSR', 'def child, do: {NodeJS.Supervisor, [path: "x"]}');
const CHILD_ALIAS = 'aliases: ["assets.deploy": ["do --app shop_web cmd mix assets.deploy"]], ';
const SETUP: Edit = [
  /"assets.setup": .*/,
  '"assets.setup": ["esbuild.install --if-missing", "cmd --cd assets npm ci", "shop.icons"],',
];

testDockerfiles({
  ...withPart([
    [{ ...NPM, ...SSR }, 'AS runner … COPY --from=node /usr/local/bin/node /usr/local/bin/'],
    [
      { ...NPM, ...mix(alias('compile: ["cmd --cd assets npm ci", "compile"]')) },
      'COPY --from=node /usr/local /usr/local … the alias compile in mix.exs may write files outside',
    ],
    [mix(deploys('"assets.deploy", "phx.digest"')), 'mix do compile + assets.deploy + release'],
    [
      { 'package.json': '{"dependencies": {"vite": "7"}}', 'vite.config.js': '' },
      'AS builder … COPY package.json vite.config.js ./\n',
    ],
    // Newer Node images have no Yarn 1
    [
      withLock('yarn.lock', '# yarn lockfile v1\n'),
      '--global --force yarn@1 && yarn install --froz',
    ],
    [
      { ...withLock('yarn.lock', '__metadata:\n  version: 8\n'), '.nvmrc': '25' },
      'npm install --global corepack && corepack enable && YARN_NODE_LINKER=node-modules yarn install --immutable\n',
    ],
    [
      withLock('pnpm-lock.yaml', "lockfileVersion: '6.0'\n"),
      'npm install --global pnpm@8 && pnpm install --frozen-lockfile\n',
    ],
    [
      withLock('bun.lock'),
      'FROM oven/bun:${BUN_VERSION}-alpine AS node … bun install --frozen-lockfile\n',
    ],
    [mix(SETUP), 'mix do deps.get …  + esbuild.install --if-missing && cp -a'],
    [umbrella(`${RELEASES}${CHILD_ALIAS}`), 'mix do compile + assets.deploy + release --overwrite'],
  ]),
  'npm packages beside the Elixir stages, with deps that package.json points to': {
    texts: {
      ...NPM,
      'assets/package.json': '{"dependencies": {"phoenix": "file:../deps/phoenix", "topbar": "3"}}',
      'assets/.nvmrc': 'v22.3.0',
    },
    has: [
      'ARG NODE_VERSION=22 … AS deps … deps.get --only prod',
      'FROM node:${NODE_VERSION}-alpine AS node … COPY --from=deps /app/deps/phoenix',
      'npm ci … FROM deps AS builder … COPY --from=node /app/assets/node_modules',
      'mix do compile + assets.deploy + release',
    ],
    lacks: /--from=node \/usr\/local/,
  },
  'an old Node for webpack 4 and node-sass': {
    texts: {
      ...NPM,
      'assets/package.json': '{"devDependencies": {"webpack": "4.41.5", "node-sass": "^4.13.1"}}',
    },
    has: ['ARG NODE_VERSION=14\n'],
  },
  'Node itself where a step calls it': {
    texts: {
      ...NPM,
      ...mix(deploys('"cmd --cd assets npm ci", "cmd --cd assets npm run deploy", "phx.digest"')),
    },
    has: [
      'COPY --from=node /usr/local /usr/local',
      'mix do compile + cmd --cd assets npm run deploy + phx.digest + release',
    ],
  },
  'a workspace: packages install from the lockfile above them': {
    texts: {
      'package.json': '{"private": true, "workspaces": ["assets", "packages/*", "deps/*"]}',
      'package-lock.json': '{}',
      'packages/ui/package.json': '{"name": "ui"}',
      'packages/my ui/package.json': '{"name": "my-ui"}',
      'assets/package.json': '{"name": "assets", "dependencies": {"topbar": "3"}}',
    },
    has: [
      'AS node … WORKDIR /app\n … COPY package.json package-lock.json ./',
      'COPY assets/package.json /app/assets/',
      'npm ci --no-audit --no-fund && mkdir -p /app/assets/node_modules /app/packages/ui/node_modules',
      'COPY --from=node /app/node_modules /app/node_modules',
      'COPY --from=node /app/assets/node_modules /app/assets/node_modules',
      'COPY --from=node ["/app/packages/my ui/node_modules","/app/packages/my ui/node_modules"]',
      'COPY packages/ui packages/ui\n',
    ],
    lacks: /AS node-2/,
  },
  'the build script, without assets.deploy': {
    texts: {
      ...NPM,
      ...mix(NO_ALIAS),
      'assets/package.json': '{"scripts": {"build": "x"}, "devDependencies": {"vite": "7"}}',
    },
    has: ['mix do compile + cmd --cd assets npm run build + phx.digest + release'],
    notes: /no assets.deploy alias, so the image builds/,
  },
  'neither assets.deploy nor a build script': {
    texts: { ...NPM, ...mix(NO_ALIAS) },
    notes: /no package.json has a build script/,
  },
  'an app without assets to build, of which there is nothing to say': {
    texts: mix(NO_ALIAS, [/ *{:esbuild, .*\n/, '']),
    notes: /^(?!.*assets)/s,
  },
  'an install among the steps of an alias in assets.deploy, which the Node stage has done': {
    texts: {
      ...NPM,
      ...mix(
        deploys('"assets.build", "phx.digest"'),
        alias(
          `"assets.build": ["cmd npm --prefix assets ci", "cmd sh -c 'cd assets && npm run build'"], "phx.digest": ["phx.digest", "shop.seal"]`,
        ),
      ),
    },
    has: ["compile + cmd sh -c 'cd assets && npm run build' + phx.digest + release"],
  },
  'aliases that double at each step, which are followed once': {
    texts: mix(
      deploys('"a0", "phx.digest"'),
      ...Array.from({ length: 30 }, (_, n) => alias(`a${n}: ["a${n + 1}", "a${n + 1}"]`)),
    ),
    has: [' + assets.deploy + release'],
  },
  'a function among the steps, which may call Node': {
    texts: { ...NPM, ...mix(deploys('&build/1, "phx.digest"')) },
    has: ['COPY --from=node /usr/local /usr/local'],
  },
  'settings above the folder of the assets that extend them': {
    texts: {
      ...NPM,
      'assets/tsconfig.json': '{"extends": "../tsconfig.base.json"}',
      'tsconfig.base.json': '{}',
      'tsconfig.json': '{}',
    },
    has: ['COPY tsconfig.base.json ./\n'],
  },
});

test.run();
