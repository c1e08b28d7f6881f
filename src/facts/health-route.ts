import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, option } from '../elixir/expr.ts';
import { fullName } from '../elixir/scope.ts';
import { get, show } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { SourceModule } from './sources.ts';

/** Says "is it alive" wherever it stands. */
const PLAIN = /^(_?healthz?|health_?-?check|heartbeat|livez|readyz|liveness|readiness)$/;
/** Says so only right below the root or an API prefix: a page of the app may have this name elsewhere. */
const VAGUE = /^(up|ping|status|alive|live|ready)$/;
const PREFIX = /^(api|v\d+|public|internal|status|_?health|system)$/;
const GUARDED = /auth|admin|logged|require|session|token/;

/** How sure it is that a path answers health checks; 0: it doesn't. Alive is what a check asks; ready waits for more. */
function rank(path: string): number {
  const before = path.split('/').filter(Boolean);
  const last = before.pop() ?? '';
  const isVague = VAGUE.test(last);
  const isPlain =
    PLAIN.test(last) || (isVague && before.some((part) => /health|^status$/.test(part)));
  if (/[:*]/.test(path)) return 0;
  if (isPlain && /^(live|alive)/.test(last)) return 4;
  if (isPlain) return last.startsWith('read') ? 2 : 3;
  return isVague && before.every((part) => PREFIX.test(part)) ? 1 : 0;
}

/** The app's own health route: one of its routes, or a path that a plug answers by itself. */
export function healthPath(code: Code): string | null {
  const mounted = new Set<SourceModule>();
  const routes = code.routers.map((router) => ({
    router,
    paths: routesIn(router, router.body, '', code.routers, mounted),
  }));
  const paths = [
    ...routes.flatMap(({ router, paths }) => (mounted.has(router) ? [] : paths)),
    ...answeredPaths(code),
  ];
  const [best] = paths.sort((left, right) => rank(right) - rank(left));
  return best !== undefined && rank(best) > 0 ? best : null;
}

/** GET-able paths of a router's body that no pipeline guards, those of routers that it forwards to among them. */
function routesIn(
  router: SourceModule,
  body: readonly Expr[],
  prefix: string,
  routers: readonly SourceModule[],
  mounted: Set<SourceModule>,
): string[] {
  let isGuarded = false;
  return body.flatMap((expr): string[] => {
    if (expr.is !== 'call' || isGuarded) return [];
    const values = expr.args.map((arg) => evaluate(arg, router.scope));
    const options = values.at(-1);
    const named = [values[0], get(options, 'path'), get(options, 'at')];
    const path = named.find((value) => typeof value === 'string');
    const full = `/${`${prefix}/${path ?? ''}`.split('/').filter(Boolean).join('/')}`;
    switch (expr.name) {
      case 'pipe_through':
        isGuarded = GUARDED.test(show(values));
        return [];
      case 'if':
      case 'unless':
      case 'scope':
        return routesIn(router, expr.blocks.do ?? [], full, routers, mounted);
      case 'forward': {
        const module = [...expr.args, option(expr.args.at(-1), 'to')].find(
          (arg) => arg?.is === 'module',
        );
        const name = module?.is === 'module' ? fullName(module.name, router.scope) : '-';
        const ending = `.${name}`;
        const inner = routers.find((other) => other.name === name || other.name.endsWith(ending));
        if (!inner || inner === router || mounted.has(inner)) return inner ? [] : [full];
        mounted.add(inner);
        return routesIn(inner, inner.body, full, routers, mounted);
      }
      case 'get':
      case 'match':
      case 'head':
      case 'resources':
      case 'plug':
        return path === undefined ? [] : [full];
      default:
        return [];
    }
  });
}

/** A plug that answers health checks compares the path with something like "/health", and does more than to let it pass. */
const COMPARES = /(request_path|path_info)(:|\)?\s*(==|in\b))/;

/** Paths in the text of such plugs, where they are in a pipeline, or an endpoint or router themselves. */
function answeredPaths({ sources, routers, endpoints }: Code): string[] {
  const pipelines = sources.files.flatMap(
    (file) => sources.text(file).match(/^ *plug\b.*$/gm) ?? [],
  );
  const plugged = new Set(pipelines.join(' ').match(/\w+/g));
  const serving = new Set([...routers, ...endpoints].map(({ file }) => file));
  return sources.matching(COMPARES).flatMap((file) => {
    const text = sources.text(file).replace(/^(?:.*, do: conn| *(?:#|live|plug|socket).*)$/gm, '');
    const [, name = ''] = /defmodule +[\w.]*?(\w+) do/.exec(text) ?? [];
    if (!COMPARES.test(text) || !(serving.has(file) || plugged.has(name))) return [];
    const listed = [...text.matchAll(/path_info.{1,5}\[("[^\]]*")\]/g)];
    return [
      ...listed.map(([, parts = '']) => `/${parts.replace(/"/g, '').split(', ').join('/')}`),
      ...[...text.matchAll(/"(\/[\w/-]+)"/g)].map(([, path = '']) => path),
    ];
  });
}
