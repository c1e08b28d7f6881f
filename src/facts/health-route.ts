import { evaluation } from '../elixir/budget.ts';
import { evaluate } from '../elixir/evaluate.ts';
import { fullName, type Scope, unguarded } from '../elixir/scope.ts';
import { type Expr, walk } from '../elixir/syntax.ts';
import { Atom, get, type Value } from '../elixir/value.ts';
import type { Code } from './code.ts';
import type { SourceModule, Sources } from './sources.ts';

/** Says "is it alive" wherever it stands. */
const PLAIN = /^(_?healthz?|health_?-?check|heartbeat|livez|readyz|liveness|readiness)$/;
/** Says so only right below the root or an API prefix: a page of the app may have this name elsewhere. */
const VAGUE = /^(up|ping|status|alive|live|ready)$/;
const PREFIX = /^(api|v\d+|public|internal|status|_?health|system)$/;
const GUARDED = /auth|admin|logged|require|session|token/;

/** How sure it is that a path answers health checks; 0: it doesn't. A check that asks nobody else ranks first. */
function rank(path: string): number {
  const parts = path.split('/').filter(Boolean);
  const last = parts.at(-1) ?? '';
  const before = parts.slice(0, -1);
  if (parts.some((part) => /[:*]/.test(part))) return 0;
  if (
    PLAIN.test(last) ||
    before.some((part) => (PLAIN.test(part) || part === 'status') && VAGUE.test(last))
  )
    return likelihood(last);
  return VAGUE.test(last) && before.every((part) => PREFIX.test(part)) ? 1 : 0;
}

/** Alive is what a check asks; ready waits for more. */
function likelihood(name: string): number {
  if (/^(live|alive)/.test(name)) return 4;
  return name.startsWith('read') ? 2 : 3;
}

/** What is compared with what. */
function sidesOf(expr: Expr): readonly Expr[] {
  if (expr.is === 'tuple') return expr.items;
  return expr.is === 'operator' && ['==', 'in', '==='].includes(expr.name) ? expr.operands : [];
}

/** The app's own health route: one of its routes, or a path that a plug answers by itself. */
export function healthPath(code: Code, sources: Sources): string | null {
  const routes = allRoutes(code.routers).filter(
    (route) => !route.pipelines.some((name) => GUARDED.test(name)),
  );
  const paths = [
    ...routes.map((route) => route.path),
    ...code.plugs.filter((plug) => isUsed(plug, code, sources)).flatMap(answeredPaths),
  ].filter((path) => rank(path) > 0);
  return paths.sort((left, right) => rank(right) - rank(left))[0] ?? null;
}

/** A plug answers when the code of another module names it, or when it is a function of an endpoint or a router. */
function isUsed(plug: SourceModule, code: Code, sources: Sources): boolean {
  const serves =
    code.routers.includes(plug) || code.endpoints.some(({ module }) => module === plug.name);
  if (serves) return true;
  const [last = ''] = plug.name.split('.').slice(-1);
  return sources
    .mentioning([last])
    .flatMap((file) => sources.modules(file))
    .some(({ name, body, scope }) => {
      let isNamed = false;
      walk(
        body.filter((expr) => expr.is !== 'call' || !/^(alias|defmodule)$/.test(expr.name)),
        (expr) => {
          if (expr.is === 'module' && fullName(expr.name, scope) === plug.name) isNamed = true;
        },
      );
      return isNamed && name !== plug.name;
    });
}

/** Routes of all routers, those of a forwarded router below the path it is forwarded from. */
function allRoutes(routers: readonly SourceModule[]): Route[] {
  const own = new Map(routers.map((router) => [router.name, routesIn(router.body, router.scope)]));
  const target = (name: string) =>
    [...own.keys()].find((known) => known === name || known.endsWith(`.${name}`));
  const forwarded = new Set(
    [...own.values()].flat().flatMap((route) => (route.forward ? (target(route.to) ?? []) : [])),
  );
  const follow = (route: Route, depth: number): Route[] => {
    const to = route.forward && depth < 4 ? target(route.to) : undefined;
    // Routers that forward to each other many times have more routes than anybody reads
    if (!evaluation.spend(1)) return [];
    if (to === undefined) return [route];
    const inner = (own.get(to) ?? []).flatMap((one) => follow(one, depth + 1));
    return inner.map((one) => ({
      ...one,
      path: join(route.path, one.path),
      pipelines: [...route.pipelines, ...one.pipelines],
    }));
  };
  return [...own].flatMap(([name, routes]) =>
    forwarded.has(name) ? [] : routes.flatMap((route) => follow(route, 0)),
  );
}

interface Route {
  path: string;
  pipelines: string[];
  /** The plug or controller it goes to. */
  to: string;
  forward: boolean;
}

/** GET-able routes of a router body with their scopes' prefixes and pipelines. */
function routesIn(
  body: readonly Expr[],
  scope: Scope,
  prefix = '',
  pipelines: readonly string[] = [],
): Route[] {
  let through = [...pipelines];
  return body.flatMap((expr): Route[] => {
    if (expr.is !== 'call') return [];
    const values = expr.args.map((arg) => evaluate(arg, scope));
    const [first] = values;
    if (expr.name === 'pipe_through')
      through = [
        ...through,
        ...(Array.isArray(first) ? first : [first]).flatMap((one) =>
          one instanceof Atom ? one.name : [],
        ),
      ];
    if (expr.name === 'scope') {
      const path =
        typeof first === 'string'
          ? first
          : values.map((value) => get(value, 'path')).find((one) => typeof one === 'string');
      return routesIn(
        expr.blocks.do ?? [],
        scope,
        join(prefix, typeof path === 'string' ? path : ''),
        through,
      );
    }
    if (expr.name === 'if' || expr.name === 'unless')
      return routesIn(expr.blocks.do ?? [], scope, prefix, through);
    if (expr.name === 'plug') {
      const at = values
        .map((value) => get(value, 'at') ?? get(value, 'path'))
        .find((one) => typeof one === 'string');
      return typeof at === 'string'
        ? [{ path: join(prefix, at), pipelines: through, to: '', forward: false }]
        : [];
    }
    if (!['get', 'match', 'forward', 'head', 'resources'].includes(expr.name)) return [];
    const path = values.find((value) => typeof value === 'string');
    const to = expr.args
      .flatMap((arg) => [
        arg,
        ...(arg.is === 'list'
          ? arg.items.flatMap((item) =>
              item.is === 'tuple' && item.items[0]?.is === 'atom' && item.items[0].name === 'to'
                ? (item.items[1] ?? [])
                : [],
            )
          : []),
      ])
      .find((arg) => arg.is === 'module');
    if (typeof path !== 'string') return [];
    return [
      {
        path: join(prefix, path),
        pipelines: through,
        to: to?.is === 'module' ? fullName(to.name, scope) : '',
        forward: expr.name === 'forward',
      },
    ];
  });
}

const join = (prefix: string, path: string): string =>
  `/${[prefix, path]
    .flatMap((part) => part.split('/'))
    .filter(Boolean)
    .join('/')}`;

/** Paths that a plug's functions pick out of all requests and do something about, not merely let pass. */
function answeredPaths({ body, scope }: SourceModule): string[] {
  const found: string[] = [];
  walk(body, (expr) => {
    if (expr.is !== 'call' || !['def', 'defp'].includes(expr.name)) return;
    const [head, guard] = unguarded(expr.args[0]);
    const block = expr.blocks.do ?? [];
    const passes = block.every((statement) => statement.is === 'variable');
    found.push(
      ...(passes ? [] : pathsIn([...(head ? [head] : []), ...(guard ? [guard] : [])], scope)),
      ...pathsIn(block, scope),
    );
  });
  return found;
}

function pathsIn(exprs: readonly Expr[], scope: Scope): string[] {
  const found: string[] = [];
  const named = new Set<string>();
  const add = (value: Value, parts: boolean) => {
    if (typeof value === 'string') found.push(value);
    else if (Array.isArray(value) && value.every((part) => typeof part === 'string'))
      found.push(...(parts ? [`/${value.join('/')}`] : value));
  };
  walk(exprs, (expr) => {
    const [left, right] = sidesOf(expr);
    if (!left || !right) return;
    const name =
      left.is === 'atom' || left.is === 'variable' || left.is === 'call' ? left.name : '';
    if ((name === 'request_path' || name === 'path_info') && right.is === 'variable')
      named.add(right.name);
    else if (name === 'request_path' || (left.is === 'variable' && named.has(name)))
      add(evaluate(right, scope), false);
    else if (name === 'path_info') add(evaluate(right, scope), true);
  });
  return found;
}
