import semver from 'semver';
import { evaluate } from '../elixir/evaluate.ts';
import { innerScope } from '../elixir/scope.ts';
import type { Position, Setting } from '../elixir/types.ts';
import { atomName, get, isKeyword, Unknown, type Value } from '../elixir/value.ts';
import type { Project } from './detect.ts';

/** One thing wrong with force_ssl, and the edit that mends it. */
export interface ForceSslFault extends Position {
  what: string;
  edit: string;
  /** Pages and checks are redirected for ever; the other faults harm other callers only. */
  blocks: boolean;
}

/** The endpoint's settings that are compiled in, as force_ssl is: what runtime.exs says comes too late. */
const endpointSettings = ({ config, app, endpoint }: Project): Setting[] =>
  config.settings.filter(
    (setting) =>
      setting.app === app.otpApp &&
      setting.key === endpoint.module &&
      !/\/(runtime|releases)\.exs$/.test(setting.file),
  );

const hasKey = (key: string) => (setting: Setting) => get(setting.value, key) !== undefined;

/**
 * What is wrong with the endpoint's `force_ssl` behind Fly's proxy. The health check
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
  return sources.findCalls(/Plug\.SSL/, ({ name, args }, { scope }) => {
    const [plug, options] = args;
    if (name !== 'plug' || plug?.is !== 'module' || plug.name !== 'Plug.SSL') return undefined;
    const value = options ? evaluate(options, innerScope(scope)) : [];
    if (value instanceof Unknown || rewrites(value)) return undefined;
    return {
      what: "Plug.SSL has no rewrite_on with :x_forwarded_proto, so behind Fly's proxy every page that passes it is redirected for ever",
      edit: 'write: plug Plug.SSL, rewrite_on: [:x_forwarded_proto], and what it has already',
      blocks: true,
    };
  });
}

function settingFaults(project: Project): ForceSslFault[] {
  const settings = endpointSettings(project);
  const setting = settings.findLast(hasKey('force_ssl'));
  const forceSsl = get(setting?.value, 'force_ssl');
  if (!setting || !Array.isArray(forceSsl)) return [];
  const faults: ForceSslFault[] = [];
  const add = ({ file, line }: Position, what: string, edit: string, blocks = false) =>
    faults.push({ file, line, what, edit, blocks });

  if (!rewrites(forceSsl))
    add(
      setting,
      "force_ssl has no rewrite_on with :x_forwarded_proto, so behind Fly's proxy every page, the health check too, is redirected for ever",
      'add rewrite_on: [:x_forwarded_proto] to it',
      true,
    );
  const misplaced = settings.find(hasKey('exclude'));
  if (misplaced)
    add(
      misplaced,
      'exclude is beside force_ssl, where nothing reads it (Phoenix 1.8.3 and 1.8.4 generated that)',
      'move it into the list of force_ssl',
    );
  const exclude = get(forceSsl, 'exclude');
  const { plugVersion } = project.phoenix;
  const isOldPlug = plugVersion && semver.lt(semver.coerce(plugVersion) ?? plugVersion, '1.19.0');
  if (get(exclude, 'paths') !== undefined && isOldPlug)
    add(
      setting,
      `exclude: [paths: …] of force_ssl needs plug 1.19.0, mix.lock has ${plugVersion}; the health check does without it`,
      'other callers over plain HTTP need `mix deps.update plug`',
    );
  if (isKeyword(exclude) && get(exclude, 'hosts') === undefined)
    add(
      setting,
      "exclude of force_ssl replaces Plug.SSL's own list, so localhost is redirected too",
      'add hosts: ["localhost", "127.0.0.1"] to it if something on the machine calls the app',
    );
  return faults;
}

/** The same as sentences for the report. */
export const forceSslAdvice = (project: Project): string[] =>
  forceSslFaults(project).map(({ file, line, what, edit }) => `${file}:${line}: ${what}; ${edit}`);

/** Whether `rewrite_on:` of force_ssl or Plug.SSL, one header or a list, covers the proxy's X-Forwarded-Proto. */
function rewrites(options: Value | undefined): boolean {
  const headers = get(options, 'rewrite_on');
  return Array.isArray(headers)
    ? headers.some((name) => atomName(name) === 'x_forwarded_proto')
    : Boolean(headers);
}

/** Whether force_ssl, as compiled in, hears the proxy's X-Forwarded-Proto. */
export const forceSslRewrites = (project: Project): boolean =>
  rewrites(get(endpointSettings(project).findLast(hasKey('force_ssl'))?.value, 'force_ssl'));
