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
const BYPASSES = [
  'builder',
  'buildpacks',
  'image',
  'builtin',
  'compose',
  'build-target',
  'build_target',
];

/** Paths in [build] because of which the Dockerfile beside fly.toml is not what is deployed. */
export function buildBypasses({ build }: FlyConfig): string[] {
  const keys = BYPASSES.filter((key) => build[key] !== undefined);
  const dockerfile = build.dockerfile ?? 'Dockerfile';
  if (!/^(\.\/)?Dockerfile$/.test(String(dockerfile))) keys.push('dockerfile');
  return keys.map((key) => `build.${key}`);
}

/** Whether the pages' machine is one that Fly never stops. */
export const staysOn = ({ autoStop, data }: Service): boolean =>
  autoStop === 'off' || Number(data.min_machines_running ?? 0) > 0;

/** What `fly launch` wrote until 2023; nobody chose it. */
export const isLaunchLimit = (limits: Table | undefined): boolean =>
  limits?.hard_limit === 25 && limits.soft_limit === 20;

/** 1000 connections at once, as far as limits of theirs leave room. */
export function connections(service: Service | undefined): { soft: number; hard: number } {
  const limits = service?.concurrency;
  if (isLaunchLimit(limits)) return { soft: 1000, hard: 1000 };
  return {
    soft: Math.min(1000, Number(limits?.hard_limit ?? 1000)),
    hard: Math.max(1000, Number(limits?.soft_limit ?? 1000)),
  };
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
      const overrule = list[withoutForm(path)];
      return overrule?.when(theirs) === true && (wishes.replace || !overrule.conflict);
    },
    // The answer about the database stands in the comment
    explain: (path) => path === 'env.ECTO_IPV6',
    remove: wishes.replace ? buildBypasses(there) : [],
  };
}

/** Both forms of a service have the same keys. */
const withoutForm = (path: string): string =>
  path.replace(/^(http_service|services)\./, 'service.');

interface Overrule {
  when: (theirs: unknown) => boolean;
  /** Only with --conflict replace: their choice works, or may. Else it is an answer, or a value that nobody chose. */
  conflict?: boolean;
}

function overrules(there: FlyConfig, wishes: Wishes): Readonly<Record<string, Overrule>> {
  const { background, once, memory, port } = wishes;
  const answer: Overrule = { when: () => true };
  const idle = changesIdling(there, background);
  const limits: Overrule = { when: () => isLaunchLimit(there.service?.concurrency) };
  const machine: Overrule = { when: () => isOtherMemory(there, memory) };
  const insecure: Overrule = { when: () => true, conflict: true };
  return {
    app: answer,
    primary_region: answer,
    'env.PHX_HOST': answer,
    // What `fly launch` wrote until 2022
    kill_signal: { when: (signal) => signal === 'SIGINT' },
    kill_timeout: { when: () => there.killTimeout === 5 },
    'deploy.strategy': {
      when: (strategy) => once && /^(bluegreen|canary)$/.test(String(strategy)),
      conflict: true,
    },
    // Numbers and booleans are text to [env]
    'env.PORT': { when: (theirs) => Number(theirs) !== port, conflict: true },
    'env.ECTO_IPV6': {
      when: (theirs) => /^(true|1)$/.test(String(theirs)) === wishes.externalDatabase,
    },
    'service.force_https': insecure,
    'service.ports.0.force_https': insecure,
    'service.auto_stop_machines': {
      when: () => idle && background === (there.service?.autoStop !== 'off'),
    },
    'service.auto_start_machines': { when: (starts) => idle && starts === background },
    'service.min_machines_running': {
      when: (count) => idle && background === Number(count) < 1,
    },
    'service.concurrency.type': limits,
    'service.concurrency.soft_limit': limits,
    'service.concurrency.hard_limit': limits,
    'vm.0.memory': machine,
    'vm.0.memory_mb': machine,
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
