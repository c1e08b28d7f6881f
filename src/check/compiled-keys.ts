import semver from 'semver';
import { evaluate } from '../elixir/evaluate.ts';
import { atomName, moduleName, type Value } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';
import type { Sources } from '../facts/sources.ts';

/** The OTP app and the keys below it: `['shop', 'ShopWeb.Endpoint', 'url', 'host']`. */
export type Path = readonly [app: string, ...keys: string[]];

/** A setting that is read while compiling: a release whose runtime.exs changes it stops at boot. */
export interface CompiledKey {
  path: Path;
  /** Who reads it: "lib/shop_web/router.ex:7" or "Phoenix". */
  reader: string;
}

/** Every `Application.compile_env` of the project's own code. */
export const keysOfCode = (sources: Sources): CompiledKey[] =>
  sources
    .findCalls(/compile_env/, ({ name, args }, { scope }) => {
      if (!/^compile_env!?$/.test(name)) return undefined;
      const path = pathOf(args.slice(0, 2).map((arg) => evaluate(arg, scope)));
      return path && { path };
    })
    .map(({ path, file, line }) => ({ path, reader: `${file}:${line}` }));

/** The path of `compile_env(:shop, [ShopWeb.Endpoint, :url])`; undefined where a part of it can't be known. */
function pathOf([app, keys]: readonly Value[]): Path | undefined {
  const parts = [app, ...(Array.isArray(keys) ? keys : [keys])];
  const names = parts.flatMap((part) => atomName(part) ?? moduleName(part) ?? []);
  const [otpApp, ...keyNames] = names;
  return otpApp && names.length === parts.length ? [otpApp, ...keyNames] : undefined;
}

/** What Phoenix (lib/phoenix/endpoint.ex since 1.7), LiveView and others (fun_with_flags#209, PhoenixAnalytics#33) read while compiling. */
export function keysOfPackages({ app, endpoint, phoenix }: Project): CompiledKey[] {
  const isOld = semver.lt(semver.coerce(phoenix.version) ?? '1.8.0', '1.7.0');
  return [
    ...(isOld ? [] : ['force_ssl', 'code_reloader', 'debug_errors']).map(
      (key): CompiledKey => ({ path: [app.otpApp, endpoint.module, key], reader: 'Phoenix' }),
    ),
    { path: ['phoenix_live_view', 'debug_heex_annotations'], reader: 'LiveView' },
    { path: ['mime', 'types'], reader: 'MIME' },
    { path: ['fun_with_flags', 'persistence'], reader: 'fun_with_flags' },
    { path: ['fun_with_flags', 'cache'], reader: 'fun_with_flags' },
    { path: ['phoenix_analytics', 'app_domain'], reader: 'phoenix_analytics' },
  ];
}
