import semver from 'semver';
import { Atom, atomName, get, isKeyword, pairs, show, Tuple, type Value } from '../elixir/value.ts';
import type { Setting } from './config.ts';
import type { Project } from './detect.ts';

const keyword = (key: string, value: Value): Tuple => new Tuple([new Atom(key), value]);
const atoms = (...names: string[]): Value => names.map((name) => new Atom(name));
const isRuntime = ({ file }: Setting): boolean => /\/(runtime|releases)\.exs$/.test(file);

/** One thing wrong with force_ssl. */
export interface ForceSslFault {
  at: Setting;
  what: string;
  edit: string;
  /** Pages and checks are redirected for ever; the other faults harm other callers only. */
  blocks: boolean;
}

/**
 * What is wrong with the endpoint's `force_ssl` behind Fly's proxy, each with the edit that mends it. The health check
 * sends `X-Forwarded-Proto: https`, so it passes as soon as `rewrite_on` is there (phoenixframework/phoenix#6435, #6556,
 * plug's changelog of 1.19.0, lib/phoenix/endpoint.ex of 1.8.12; read 2026-11).
 */
export function forceSslFaults(project: Project): ForceSslFault[] {
  const own = project.config.settings.filter(
    ({ app, key }) => app === project.app.otpApp && key === project.endpoint.module,
  );
  const settings = own.filter(({ value }) => get(value, 'force_ssl') !== undefined);
  const built = settings.findLast((one) => !isRuntime(one));
  const late = settings.find(isRuntime);
  const force = get(built?.value, 'force_ssl');
  const faults: ForceSslFault[] = [];
  const add = (at: Setting, what: string, edit: string, blocks = false) =>
    faults.push({ at, what, edit, blocks });
  // Since 1.7 such a release stops at boot (compile_env), which is a fault of runtime.exs
  const stops = semver.gte(semver.coerce(project.phoenix.version) ?? '1.8.0', '1.7.0');
  if (late && !isOn(force) && !stops)
    add(
      late,
      'force_ssl has no effect here: Phoenix compiles it into the endpoint',
      `write it in config/prod.exs: ${edit(project, rewriting([]))}`,
    );
  if (!built || !isOn(force) || !isKeyword(force)) return faults;
  const exclude = get(force, 'exclude');
  const stray = own.find(({ value }) => get(value, 'exclude') !== undefined);
  const plug = project.phoenix.plugVersion;
  if (!rewrites(force))
    add(
      built,
      "force_ssl has no rewrite_on with :x_forwarded_proto, so behind Fly's proxy every page, the health check too, is redirected for ever",
      `write: ${edit(project, rewriting(pairs(force).map(([key, value]) => keyword(key, value))))}`,
      true,
    );
  if (stray)
    add(
      stray,
      'exclude is beside force_ssl, where nothing reads it (Phoenix 1.8.3 and 1.8.4 generated that)',
      `write: ${edit(project, [...pairs(force).map(([key, value]) => keyword(key, value)), keyword('exclude', get(stray.value, 'exclude') ?? [])])}`,
    );
  if (
    get(exclude, 'paths') !== undefined &&
    plug &&
    semver.lt(semver.coerce(plug) ?? plug, '1.19.0')
  )
    add(
      built,
      `exclude: [paths: …] of force_ssl needs plug 1.19.0, mix.lock has ${plug}; the health check does without it`,
      'other callers over plain HTTP need `mix deps.update plug`',
    );
  if (isKeyword(exclude) && pairs(exclude).length > 0 && get(exclude, 'hosts') === undefined)
    add(
      built,
      "exclude of force_ssl replaces Plug.SSL's own list, so localhost is redirected too",
      'add hosts: ["localhost", "127.0.0.1"] to it if something on the machine calls the app',
    );
  return faults;
}

/** The same as sentences for the report. */
export const forceSslAdvice = (project: Project): string[] =>
  forceSslFaults(project).map(({ at, what, edit }) => `${at.file}:${at.line}: ${what}; ${edit}`);

const isOn = (force: Value | undefined): boolean =>
  force !== undefined && force !== false && force !== null;

function rewrites(force: Value): boolean {
  const on = get(force, 'rewrite_on');
  return Array.isArray(on)
    ? on.some((one) => atomName(one) === 'x_forwarded_proto')
    : on !== undefined && on !== null;
}

const rewriting = (rest: Tuple[]): Value => [
  keyword('rewrite_on', atoms('x_forwarded_proto')),
  ...rest.filter(({ items }) => atomName(items[0]) !== 'rewrite_on'),
];
const edit = (project: Project, force: Value): string =>
  `config :${project.app.otpApp}, ${project.endpoint.module}, force_ssl: ${show(force)}`;

/** Whether force_ssl, as compiled in, hears the proxy's X-Forwarded-Proto. */
export function forceSslRewrites({ config, app, endpoint }: Project): boolean {
  const built = config.settings.findLast(
    (one) =>
      one.app === app.otpApp &&
      one.key === endpoint.module &&
      !isRuntime(one) &&
      get(one.value, 'force_ssl') !== undefined,
  );
  const force = get(built?.value, 'force_ssl');
  return isKeyword(force) && rewrites(force);
}
