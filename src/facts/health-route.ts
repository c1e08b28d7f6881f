import { evaluate } from '../elixir/evaluate.ts';
import { type Call, type Expr, option } from '../elixir/expr.ts';
import { fullName, type Scope } from '../elixir/scope.ts';
import { get, show, type Value } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { SourceModule } from './sources.ts';

/** Last parts of a path that mean "is it alive" anywhere. */
const PLAIN = /^(_?healthz?|health_?-?check|heartbeat|livez|readyz|liveness|readiness)$/;
/** They mean it only right below the root or an API prefix: a page of the app may have this name elsewhere. */
const VAGUE = /^(up|ping|status|alive|live|ready)$/;
const PREFIX = /^(api|v\d+|public|internal|status|_?health|system)$/;
/** Names of pipelines that ask for a login, unlike `:auth_optional`. */
const GUARD = /:(?!\w*optional)\w*(auth|admin|logged|require|session|token)/;

/** Macros of a router that hold routes, and those that answer GET at a path. */
const GROUPS = new Set(['scope', 'if', 'unless']);
const ROUTES = new Set(['get', 'match', 'head', 'resources', 'plug']);

/** How sure it is that a path answers health checks; 0: it doesn't. Alive is what a check asks; ready waits for more. */
function rank(path: string): number {
  if (/[:*]/.test(path)) return 0;
  const prefix = path.split('/').filter(Boolean);
  const last = prefix.pop() ?? '';
  const isVague = VAGUE.test(last);
  const isBelowHealth = prefix.some((part) => /health|^status$/.test(part));
  if (PLAIN.test(last) || (isVague && isBelowHealth)) {
    if (/^(live|alive)/.test(last)) return 4;
    return last.startsWith('read') ? 2 : 3;
  }
  return isVague && prefix.every((part) => PREFIX.test(part)) ? 1 : 0;
}

/** The app's own health route: one of its routes, or a path that a plug answers by itself. */
export function healthPath(code: Code): string | null {
  const paths = [...routes(code.routers), ...answeredPaths(code)];
  const [best] = paths.sort((left, right) => rank(right) - rank(left));
  return best !== undefined && rank(best) > 0 ? best : null;
}

/** GET-able paths that no pipeline guards. Those of a router that another forwards to begin with the path of the forward. */
function routes(routers: readonly SourceModule[]): string[] {
  const mounted = new Set<SourceModule>();
  const routesIn = (body: readonly Expr[], prefix: string, router: SourceModule): string[] => {
    const paths: string[] = [];
    for (const expr of body) {
      if (expr.is !== 'call') continue;
      const values = expr.args.map((arg) => evaluate(arg, router.scope));
      if (expr.name === 'pipe_through' && GUARD.test(show(values))) break;
      const path = pathIn(values);
      const parts = `${prefix}/${path ?? ''}`.split('/').filter(Boolean);
      const fullPath = `/${parts.join('/')}`;
      if (GROUPS.has(expr.name)) paths.push(...routesIn(expr.blocks.do ?? [], fullPath, router));
      if (ROUTES.has(expr.name) && path !== undefined) paths.push(fullPath);
      if (expr.name !== 'forward') continue;
      const target = forwardTarget(expr, router.scope, routers);
      if (!target) paths.push(fullPath);
      else if (target !== router && !mounted.has(target)) {
        mounted.add(target);
        paths.push(...routesIn(target.body, fullPath, target));
      }
    }
    return paths;
  };
  const paths = routers.map((router) => ({ router, paths: routesIn(router.body, '', router) }));
  return paths.flatMap(({ router, paths }) => (mounted.has(router) ? [] : paths));
}

/** `get "/health", …`, `plug Health, path: "/health"`, `plug Health, at: "/health"` */
function pathIn(args: readonly Value[]): string | undefined {
  const options = args.at(-1);
  return [args[0], get(options, 'path'), get(options, 'at')].find(
    (value) => typeof value === 'string',
  );
}

/** The router of `forward "/api", ApiRouter` and `forward "/api", to: ApiRouter`. */
function forwardTarget({ args }: Call, scope: Scope, routers: readonly SourceModule[]) {
  const module = [...args, option(args.at(-1), 'to')].find((arg) => arg?.is === 'module');
  if (module?.is !== 'module') return undefined;
  const name = fullName(module.name, scope);
  return (
    routers.find((router) => router.name === name) ??
    routers.find((router) => router.name.endsWith(`.${name}`))
  );
}

/** A plug that answers health checks compares the path with something like "/health", and does more than to let it pass. */
const COMPARES_PATH = /(request_path|path_info)(:|\)?\s*(==|in\b))/;
/** Lines that hold other paths: comments, sockets, routes, and what only lets the request pass. */
const UNRELATED_LINES = /^(?:.*, do: conn| *(?:#|live|plug|socket).*)$/gm;

/** Paths in the text of such plugs, where they are in a pipeline, or an endpoint or router themselves. */
function answeredPaths({ sources, routers, endpoints }: Code): string[] {
  const plugLines = sources.files.flatMap(
    (file) => sources.text(file).match(/^ *plug\b.*$/gm) ?? [],
  );
  const pluggedWords = new Set(plugLines.join(' ').match(/\w+/g));
  const servingFiles = new Set([...routers, ...endpoints].map(({ file }) => file));
  return sources.matching(COMPARES_PATH).flatMap((file) => {
    const text = sources.text(file).replace(UNRELATED_LINES, '');
    const [, name = ''] = /defmodule +[\w.]*?(\w+) do/.exec(text) ?? [];
    const isUsed = servingFiles.has(file) || pluggedWords.has(name);
    if (!isUsed || !COMPARES_PATH.test(text)) return [];
    // `path_info: ["api", "health"]`
    const lists = [...text.matchAll(/path_info.{1,5}\[("[^\]]*")\]/g)];
    return [
      ...lists.map(([, parts = '']) => `/${parts.replace(/"/g, '').split(', ').join('/')}`),
      ...[...text.matchAll(/"(\/[\w/-]+)"/g)].map(([, path = '']) => path),
    ];
  });
}
