import semver from 'semver';
import { evaluate } from '../elixir/evaluate.ts';
import { innerScope } from '../elixir/scope.ts';
import type { Setting } from '../elixir/types.ts';
import { atomName, get, isKeyword, pairs, show, Unknown, type Value } from '../elixir/value.ts';
import type { Project } from './detect.ts';

/** One thing wrong with force_ssl. */
export interface ForceSslFault {
  at: { file: string; line: number };
  what: string;
  edit: string;
  /** Pages and checks are redirected for ever; the other faults harm other callers only. */
  blocks: boolean;
}

/** The endpoint's settings of force_ssl or beside it; what runtime.exs says comes too late, as Phoenix compiles it in. */
const endpointSettings = ({ config, app, endpoint }: Project): Setting[] =>
  config.settings.filter(
    ({ app: name, key, file }) =>
      name === app.otpApp && key === endpoint.module && !/\/(runtime|releases)\.exs$/.test(file),
  );

const sets = (key: string) => (setting: Setting) => get(setting.value, key) !== undefined;

/**
 * What is wrong with the endpoint's `force_ssl` behind Fly's proxy, each with the edit that mends it. The health check
 * sends `X-Forwarded-Proto: https`, so it passes as soon as `rewrite_on` is there (phoenixframework/phoenix#6435, #6556,
 * plug's changelog of 1.19.0, lib/phoenix/endpoint.ex of 1.8.12; read 2026-11).
 */
export const forceSslFaults = (project: Project): ForceSslFault[] => [
  ...settingFaults(project),
  ...plugFaults(project),
];

/** Plug.SSL in an endpoint or a router, which Phoenix's force_ssl stands for. */
function plugFaults({ sources }: Project): ForceSslFault[] {
  if (sources.matching(/Plug\.RewriteOn/).length) return [];
  const found = sources.inCalls(/Plug\.SSL/, ({ name, args }, { scope }) => {
    const [plug, options] = args;
    if (name !== 'plug' || plug?.is !== 'module' || plug.name !== 'Plug.SSL') return undefined;
    const given = options ? evaluate(options, innerScope(scope)) : [];
    return given instanceof Unknown || rewrites(given) ? undefined : {};
  });
  return found.map((at) => ({
    at,
    what: "Plug.SSL has no rewrite_on with :x_forwarded_proto, so behind Fly's proxy every page that passes it is redirected for ever",
    edit: 'write: plug Plug.SSL, rewrite_on: [:x_forwarded_proto], and what it has already',
    blocks: true,
  }));
}

function settingFaults(project: Project): ForceSslFault[] {
  const settings = endpointSettings(project);
  const built = settings.findLast(sets('force_ssl'));
  const force = get(built?.value, 'force_ssl');
  if (!built || !Array.isArray(force)) return [];
  const exclude = get(force, 'exclude');
  const stray = settings.find(sets('exclude'));
  const plug = project.phoenix.plugVersion;
  const isOld = plug !== null && semver.lt(semver.coerce(plug) ?? plug, '1.19.0');
  const withKey = (key: string, value: string): string => {
    const kept = pairs(force).filter(([name]) => name !== key);
    const list = [`${key}: ${value}`, ...kept.map(([name, held]) => `${name}: ${show(held)}`)];
    return `write: config :${built.app}, ${built.key}, force_ssl: [${list.join(', ')}]`;
  };
  const faults: [isWrong: boolean, what: string, edit: string, at?: Setting | undefined][] = [
    [
      !rewrites(force),
      "force_ssl has no rewrite_on with :x_forwarded_proto, so behind Fly's proxy every page, the health check too, is redirected for ever",
      withKey('rewrite_on', '[:x_forwarded_proto]'),
    ],
    [
      stray !== undefined,
      'exclude is beside force_ssl, where nothing reads it (Phoenix 1.8.3 and 1.8.4 generated that)',
      withKey('exclude', show(get(stray?.value, 'exclude'))),
      stray,
    ],
    [
      get(exclude, 'paths') !== undefined && isOld,
      `exclude: [paths: …] of force_ssl needs plug 1.19.0, mix.lock has ${plug}; the health check does without it`,
      'other callers over plain HTTP need `mix deps.update plug`',
    ],
    [
      isKeyword(exclude) && get(exclude, 'hosts') === undefined,
      "exclude of force_ssl replaces Plug.SSL's own list, so localhost is redirected too",
      'add hosts: ["localhost", "127.0.0.1"] to it if something on the machine calls the app',
    ],
  ];
  return faults.flatMap(([isWrong, what, edit, at = built], index) =>
    isWrong ? [{ at, what, edit, blocks: index === 0 }] : [],
  );
}

/** The same as sentences for the report. */
export const forceSslAdvice = (project: Project): string[] =>
  forceSslFaults(project).map(({ at, what, edit }) => `${at.file}:${at.line}: ${what}; ${edit}`);

function rewrites(force: Value | undefined): boolean {
  const on = get(force, 'rewrite_on');
  return Array.isArray(on)
    ? on.some((name) => atomName(name) === 'x_forwarded_proto')
    : Boolean(on);
}

/** Whether force_ssl, as compiled in, hears the proxy's X-Forwarded-Proto. */
export const forceSslRewrites = (project: Project): boolean =>
  rewrites(get(endpointSettings(project).findLast(sets('force_ssl'))?.value, 'force_ssl'));
