import type { MergeRules } from '../edit/toml-merge.ts';
import { type FlyConfig, ports, type Service, speaks, type Table, tablesAt } from './fly-config.ts';
import { memoryOf, UNSET_MEMORY } from './machine.ts';

/** What our fly.toml is to say, as far as it depends on the answers and the app. */
export interface Wishes {
  port: number;
  externalDatabase: boolean;
  /** One machine that never stops. */
  background: boolean;
  /** The app's work must not run twice at the same time. */
  once: boolean;
  memory: number;
  /** Whether POOL_SIZE decides how many connections the app opens, as far as it doesn't say so itself. */
  followsPoolSize: boolean;
  /** Whether a check over plain HTTP is answered with a redirect. */
  redirects: boolean;
  /** Whether ours takes the place of theirs where both can't stand (--conflict replace). */
  replace: boolean;
}

/** Keys of [build] that make `fly deploy` build something else than the Dockerfile beside fly.toml. */
const BYPASSES = /^(builder|buildpacks|image|builtin|compose|build[-_]target)$/;

/** Paths in [build] because of which the Dockerfile beside fly.toml is not what is deployed. */
export const buildBypasses = ({ build }: FlyConfig): string[] =>
  Object.entries(build)
    .filter(([key, value]) =>
      key === 'dockerfile' ? !/^(\.\/)?Dockerfile$/.test(String(value)) : BYPASSES.test(key),
    )
    .map(([key]) => `build.${key}`);

/** Whether the pages' machine is one that Fly never stops. */
export const staysOn = ({ autoStop, data }: Service): boolean =>
  autoStop === 'off' || Number(data.min_machines_running ?? 0) > 0;

/** What `fly launch` wrote until 2023; nobody chose it. */
export const isLaunchLimit = (limits: Table | undefined): boolean =>
  limits?.hard_limit === 25 && limits.soft_limit === 20;

/** 1000 connections at once, as far as limits of theirs leave room. */
export function connections(service: Service | undefined): { soft: number; hard: number } {
  const { concurrency: limits } = service ?? {};
  const { soft_limit: soft = 1000, hard_limit: hard = 1000 } = isLaunchLimit(limits)
    ? {}
    : (limits ?? {});
  return { soft: Math.min(1000, Number(hard)), hard: Math.max(1000, Number(soft)) };
}

/** How our fly.toml goes into theirs: what they have stays, but for what `overrules` lists. */
export function mergeRules(there: FlyConfig, wishes: Wishes): MergeRules {
  const environments = tablesAt(there.table, 'env');
  const list = overrules(there, wishes);
  return {
    targets: (table) => targets(there, wishes, table),
    also: (path) =>
      path.startsWith('env.') ? environments.map((env) => env.path + path.slice(3)) : [],
    wants: (path) => isMissing(there, wishes, withoutForm(path)),
    replace: (path, theirs) => {
      const key = withoutForm(path);
      const isAllowed = wishes.replace || !CONFLICTS.has(key);
      return isAllowed && list[key]?.(theirs) === true;
    },
    // The answer about the database stands in the comment
    explain: (path) => path === 'env.ECTO_IPV6',
    remove: wishes.replace ? buildBypasses(there) : [],
  };
}

/** Both forms of a service have the same keys. */
const withoutForm = (path: string): string =>
  path.replace(/^(http_service|services)\./, 'service.');

/** Values that work, or may: ours take their place only with --conflict replace. */
const CONFLICTS = new Set([
  'deploy.strategy',
  'env.PORT',
  'service.force_https',
  'service.ports.0.force_https',
]);

/** Which of their values are not what the answers say, or were chosen by nobody. */
function overrules(there: FlyConfig, wishes: Wishes): Record<string, (theirs: unknown) => boolean> {
  const { background, once, memory, port } = wishes;
  const always = () => true;
  const idle = changesIdling(there, background);
  const isLaunched = () => isLaunchLimit(there.service?.concurrency);
  const isOther = () => isOtherMemory(there, memory);
  return {
    app: always,
    primary_region: always,
    'env.PHX_HOST': always,
    // What `fly launch` wrote until 2022
    kill_signal: (signal) => signal === 'SIGINT',
    kill_timeout: () => there.killTimeout === 5,
    'deploy.strategy': (strategy) => once && /^(bluegreen|canary)$/.test(String(strategy)),
    // Numbers and booleans are text to [env]
    'env.PORT': (theirs) => Number(theirs) !== port,
    'env.ECTO_IPV6': (theirs) => /^(true|1)$/.test(String(theirs)) === wishes.externalDatabase,
    'service.force_https': always,
    'service.ports.0.force_https': always,
    'service.auto_stop_machines': () => idle && background === (there.service?.autoStop !== 'off'),
    'service.auto_start_machines': (starts) => idle && starts === background,
    'service.min_machines_running': (count) => idle && background === Number(count) < 1,
    'service.concurrency.type': isLaunched,
    'service.concurrency.soft_limit': isLaunched,
    'service.concurrency.hard_limit': isLaunched,
    'vm.0.memory': isOther,
    'vm.0.memory_mb': isOther,
  };
}

/** Whether a key of ours that theirs lacks is needed beside what is there. */
function isMissing(there: FlyConfig, wishes: Wishes, path: string): boolean {
  const { background, memory } = wishes;
  if (path === 'env.POOL_SIZE') return wishes.followsPoolSize;
  // Fly's default
  if (path === 'deploy.strategy') return there.blank;
  if (/^service\.(auto_|min_)/.test(path)) return changesIdling(there, background);
  // Without it Fly counts connections, up to no limit, and turns to another machine from 20 on
  if (/^service\.concurrency\.(type|hard_limit)/.test(path)) return !there.service?.concurrency;
  if (!path.startsWith('vm.0.')) return true;
  if (there.machine) return path.startsWith('vm.0.memory') && isOtherMemory(there, memory);
  // Without a name it would be the machine of every other group as well
  if (path === 'vm.0.processes' && !there.table.vm && !there.table.processes) return false;
  return there.blank || memory !== UNSET_MEMORY;
}

const changesIdling = ({ service }: FlyConfig, background: boolean): boolean =>
  !service || staysOn(service) !== background;

/** A machine of a size that has no range here is its owner's. */
function isOtherMemory({ machine }: FlyConfig, memory: number): boolean {
  const known = machine && memoryOf(machine.data);
  return known !== undefined && known !== memory;
}

/** The paths in their file that a table of ours stands for. */
function targets(there: FlyConfig, { redirects }: Wishes, table: string): string[] {
  const { env, vm } = there.table;
  if (table === 'env' && Array.isArray(env)) return [`env.${env.length - 1}`];
  if (table === 'vm.0' && there.machine) return [there.machine.path];
  // Beside a [vm] of another group TOML lets no [[vm]] stand
  if (table === 'vm.0') return vm && !Array.isArray(vm) ? [] : [`vm.${there.machines.length}`];
  const { service } = there;
  if (!service || !/^(http_service|services)(\.|$)/.test(table)) return [table];
  const inner = table.slice(service.kind.length);
  const path = service.path + inner;
  if (path.startsWith(`${service.checksPath}.0`) && service.checks.length) {
    // Each check of theirs needs the header as well
    if (!inner.endsWith('.headers') || !redirects) return [];
    return service.checks.filter(needsHeader).map((check) => `${check.path}.headers`);
  }
  if (inner !== '.ports.0') return [path];
  return ports(service.data, service.path)
    .filter((port) => speaks(port, 'http') && !speaks(port, 'tls'))
    .map((port) => port.path);
}

/** A list of names and values is the form of 2020, beside which TOML lets no table stand. */
const needsHeader = ({ data }: { data: Table }): boolean =>
  data.protocol !== 'https' &&
  !(Array.isArray(data.headers) && data.headers.length) &&
  !Object.keys(tablesAt(data, 'headers')[0]?.data ?? {}).some(
    (name) => name.toLowerCase() === 'x-forwarded-proto',
  );
