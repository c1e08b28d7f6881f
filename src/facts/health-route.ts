import { evaluate } from '../elixir/evaluate.ts';
import type { Expr } from '../elixir/expr.ts';
import type { Scope } from '../elixir/scope.ts';
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
const ROUTES = new Set(['forward', 'get', 'match', 'head', 'resources', 'plug']);

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

/** GET-able paths that no pipeline guards. Routers that another forwards to are left out: their paths begin elsewhere. */
const routes = (routers: readonly SourceModule[]): string[] =>
  routers
    .filter((router) => !routers.some((other) => other !== router && forwardsTo(other, router)))
    .flatMap(({ body, scope }) => routesIn(body, '', scope));

/** `forward "/api", Api.Router` */
function forwardsTo({ text }: SourceModule, { name }: SourceModule): boolean {
  const lines = text.match(/^ *forward\b.*$/gm) ?? [];
  const words = lines.flatMap((line) => line.match(/[\w.]+/g) ?? []);
  return words.some((word) => `.${name}`.endsWith(`.${word}`));
}

function routesIn(body: readonly Expr[], prefix: string, scope: Scope): string[] {
  const paths: string[] = [];
  for (const expr of body) {
    if (expr.is !== 'call') continue;
    const values = expr.args.map((arg) => evaluate(arg, scope));
    if (expr.name === 'pipe_through' && GUARD.test(show(values))) break;
    const path = pathIn(values);
    const parts = `${prefix}/${path ?? ''}`.split('/').filter(Boolean);
    const fullPath = `/${parts.join('/')}`;
    if (GROUPS.has(expr.name)) paths.push(...routesIn(expr.blocks.do ?? [], fullPath, scope));
    if (ROUTES.has(expr.name) && path !== undefined) paths.push(fullPath);
  }
  return paths;
}

/** `get "/health", …`, `plug Health, path: "/health"`, `plug Health, at: "/health"` */
function pathIn(args: readonly Value[]): string | undefined {
  const options = args.at(-1);
  return [args[0], get(options, 'path'), get(options, 'at')].find(
    (value) => typeof value === 'string',
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
