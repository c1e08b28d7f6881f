import { evaluate } from '../elixir/evaluate.ts';
import { type Call, type Expr, option, walk } from '../elixir/expr.ts';
import { fullName, type Scope } from '../elixir/scope.ts';
import { atomName, get, type Value } from '../elixir/value.ts';
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
  const before = path.split('/').filter(Boolean);
  const last = before.pop() ?? '';
  const isVague = VAGUE.test(last);
  if (/[:*]/.test(path)) return 0;
  if (PLAIN.test(last) || (isVague && before.some((part) => PLAIN.test(part) || part === 'status')))
    return likelihood(last);
  return isVague && before.every((part) => PREFIX.test(part)) ? 1 : 0;
}

/** Alive is what a check asks; ready waits for more. */
function likelihood(name: string): number {
  if (/^(live|alive)/.test(name)) return 4;
  return name.startsWith('read') ? 2 : 3;
}

/** The app's own health route: one of its routes, or a path that a plug answers by itself. */
export function healthPath(code: Code, sources: Sources): string | null {
  const routes = code.routers.flatMap(({ name, body, scope }) =>
    routesIn(body, { router: name, scope, prefix: '', through: '' }),
  );
  const forwards = routes.filter((route) => route.to !== null);
  const mounts = new Map(code.routers.map(({ name }) => [name, mountOf(name, forwards)]));
  const open = routes.filter(
    ({ router, through, to }) =>
      !GUARDED.test(`${mounts.get(router)?.through} ${through}`) &&
      !(to && code.routers.some(({ name }) => isNamed(name, to))),
  );
  const paths = [
    ...open.map(({ router, path }) => join(mounts.get(router)?.path ?? '', path)),
    ...code.plugs.filter((plug) => isUsed(plug, code, sources)).flatMap(answeredPaths),
  ];
  const [best] = paths.sort((left, right) => rank(right) - rank(left));
  return best !== undefined && rank(best) > 0 ? best : null;
}

interface Mount {
  path: string;
  /** The pipelines before it, as text. */
  through: string;
}

interface Route extends Mount {
  router: string;
  /** The module that a `forward` goes to. */
  to: string | null;
}

/** Whether a module is meant, perhaps without the prefix that a scope adds. */
const isNamed = (module: string, name: string): boolean =>
  name !== '' && `.${module}`.endsWith(`.${name}`);

/** Where a router is forwarded from. */
function mountOf(router: string, forwards: readonly Route[], depth = 0): Mount {
  const from = forwards.find((route) => route.router !== router && isNamed(router, route.to ?? ''));
  if (!from || depth > 3) return { path: '', through: '' };
  const outer = mountOf(from.router, forwards, depth + 1);
  return { path: join(outer.path, from.path), through: `${outer.through} ${from.through}` };
}

/** GET-able routes of a router's body with their scopes' prefixes and pipelines. */
function routesIn(
  body: readonly Expr[],
  place: Omit<Route, 'to' | 'path'> & { scope: Scope; prefix: string },
): Route[] {
  let { through } = place;
  return body.flatMap((expr): Route[] => {
    if (expr.is !== 'call') return [];
    const values = expr.args.map((arg) => evaluate(arg, place.scope));
    const texts = (key: string) =>
      values
        .flatMap((value) => get(value, key) ?? value)
        .filter((text) => typeof text === 'string');
    const add = (path: string | undefined, to: string | null = null) =>
      path === undefined
        ? []
        : [{ router: place.router, path: join(place.prefix, path), through, to }];
    switch (expr.name) {
      case 'pipe_through':
        through += ` ${values
          .flat()
          .map((value) => atomName(value))
          .join(' ')}`;
        return [];
      case 'if':
      case 'unless':
        return routesIn(expr.blocks.do ?? [], { ...place, through });
      case 'scope': {
        const prefix = join(place.prefix, texts('path')[0] ?? '');
        return routesIn(expr.blocks.do ?? [], { ...place, prefix, through });
      }
      case 'plug':
        return add(texts('at').at(-1) ?? texts('path').at(-1));
      case 'forward':
        return add(texts('path')[0], target(expr, place.scope));
      case 'get':
      case 'match':
      case 'head':
      case 'resources':
        return add(texts('path')[0]);
      default:
        return [];
    }
  });
}

/** `forward "/ops", Shop.Ops`, `forward "/ops", to: Shop.Ops`. */
function target({ args }: Call, scope: Scope): string {
  const module = args.find((arg) => arg.is === 'module') ?? option(args.at(-1), 'to');
  return module?.is === 'module' ? fullName(module.name, scope) : '';
}

const join = (prefix: string, path: string): string =>
  `/${`${prefix}/${path}`.split('/').filter(Boolean).join('/')}`;

/** A plug answers when another file names it, or when it is a function of an endpoint or a router. */
function isUsed(plug: SourceModule, { routers, endpoints }: Code, sources: Sources): boolean {
  const serves = routers.includes(plug) || endpoints.some(({ module }) => module === plug.name);
  const last = plug.name.slice(plug.name.lastIndexOf('.') + 1);
  const names = new RegExp(`^(?!\\s*(?:#|alias|defmodule)).*\\b${last}\\b`, 'm');
  return serves || sources.matching(names).some((file) => file !== plug.file);
}

/** Paths that a plug's functions pick out of all requests and do something about, not merely let pass. */
function answeredPaths({ body, scope }: SourceModule): string[] {
  const found: string[] = [];
  const functions = body.filter(
    (expr) =>
      expr.is === 'call' &&
      /^defp?$/.test(expr.name) &&
      expr.blocks.do?.some((statement) => statement.is !== 'variable'),
  );
  const add = (value: Value) =>
    found.push(
      ...([value]
        .flat()
        .filter((path) => typeof path === 'string' && path.startsWith('/')) as string[]),
    );
  walk(functions, (expr) => {
    if (expr.is === 'string' || expr.is === 'attribute') add(evaluate(expr, scope));
    const [left, right] = sidesOf(expr);
    const parts = evaluate(right, scope);
    const isInfo = left && 'name' in left && left.name === 'path_info';
    if (isInfo && Array.isArray(parts) && parts.every((part) => typeof part === 'string'))
      found.push(`/${parts.join('/')}`);
  });
  return found;
}

/** What is compared with what. */
function sidesOf(expr: Expr): readonly Expr[] {
  if (expr.is === 'tuple') return expr.items;
  return expr.is === 'operator' && /^(===?|in)$/.test(expr.name) ? expr.operands : [];
}
