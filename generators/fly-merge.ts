import type { OnConflict } from '../src/edit/conflict.ts';
import type { MergeRules } from '../src/edit/toml-merge.ts';
import { type FlyConfig, ports, speaks, type Table, tablesAt } from '../src/fly/fly-config.ts';
import { memoryOf, UNSET_MEMORY } from '../src/fly/machine.ts';
import type { Context } from '../src/plan/file.ts';
import { portOf } from './shared.ts';

/** How our fly.toml goes into theirs: what they have stays, but for what `overruledKeys` lists. */
export function mergeRules(
  config: FlyConfig,
  context: Context,
  onConflict: OnConflict,
): MergeRules {
  const replaces = onConflict === 'replace';
  const { forceSsl } = context.project.endpoint;
  const redirects = forceSsl !== null && forceSsl !== 'false';
  const isOverruled = overruledKeys(config, context);
  return {
    targetsOf: (table) => targets(config, redirects, table),
    shouldAdd: (path) => isNeeded(config, context, serviceKey(path)),
    shouldReplace: (path, theirs) => {
      const key = serviceKey(path);
      return (replaces || !CONFLICTS.has(key)) && isOverruled[key]?.(theirs) === true;
    },
    // The answer about the database stands in the comment
    shouldExplain: (path) => path === 'env.ECTO_IPV6',
    removedPaths: replaces ? config.bypasses.map((key) => `build.${key}`) : [],
  };
}

/** Both forms of a service have the same keys. */
const serviceKey = (path: string): string => path.replace(/^(http_service|services)\./, 'service.');

/** Values that work, or may: ours take their place only with --conflict replace. */
const CONFLICTS = new Set([
  'deploy.strategy',
  'env.PORT',
  'service.force_https',
  'service.ports.0.force_https',
]);

/** Keys and which values of theirs ours overrule: they are not what the answers say, or nobody chose them. */
function overruledKeys(
  config: FlyConfig,
  { project, answers: { background, memory, postgres } }: Context,
): Record<string, (theirs: unknown) => boolean> {
  const always = () => true;
  const hasOldIdling = changesIdling(config, background);
  const hasLaunchLimits = () => config.service?.hasLaunchLimits === true;
  const hasOtherMemory = () => isOtherMemory(config, memory);
  const runsOnce = background && project.background.length > 0;
  const stops = config.service?.autoStop !== 'off';
  const port = portOf(project);
  return {
    app: always,
    primary_region: always,
    'env.PHX_HOST': always,
    // What `fly launch` wrote until 2022
    kill_signal: (signal) => signal === 'SIGINT',
    kill_timeout: () => config.killTimeout === 5,
    'deploy.strategy': (strategy) => runsOnce && /^(bluegreen|canary)$/.test(String(strategy)),
    // Numbers and booleans are text to [env]
    'env.PORT': (theirs) => Number(theirs) !== port,
    'env.ECTO_IPV6': (theirs) =>
      /^(true|1)$/.test(String(theirs)) === (postgres.kind === 'external'),
    'service.force_https': always,
    'service.ports.0.force_https': always,
    'service.auto_stop_machines': () => hasOldIdling && stops === background,
    'service.auto_start_machines': (starts) => hasOldIdling && starts === background,
    'service.min_machines_running': (count) => hasOldIdling && Number(count) < 1 === background,
    'service.concurrency.type': hasLaunchLimits,
    'service.concurrency.soft_limit': hasLaunchLimits,
    'service.concurrency.hard_limit': hasLaunchLimits,
    'vm.0.memory': hasOtherMemory,
    'vm.0.memory_mb': hasOtherMemory,
  };
}

/** Whether a key of ours that theirs lacks is needed beside what is in their file. */
function isNeeded(config: FlyConfig, { answers }: Context, key: string): boolean {
  const { background, memory } = answers;
  // Fly's default
  if (key === 'deploy.strategy') return config.isBlank;
  if (/^service\.(auto_|min_)/.test(key)) return changesIdling(config, background);
  // Without it Fly counts connections, up to no limit, and turns to another machine from 20 on
  if (/^service\.concurrency\.(type|hard_limit)/.test(key)) return !config.service?.concurrency;
  if (!key.startsWith('vm.0.')) return true;
  if (config.machine) return key.startsWith('vm.0.memory') && isOtherMemory(config, memory);
  // Without a name it would be the machine of every other group as well
  if (key === 'vm.0.processes' && !config.table.vm && !config.table.processes) return false;
  return config.isBlank || memory !== UNSET_MEMORY;
}

/** Whether the answer about background work is another than what their service does when nobody asks for a page. */
const changesIdling = ({ service }: FlyConfig, background: boolean): boolean =>
  service?.staysOn !== background;

/** A machine of a size that has no range here is its owner's. */
function isOtherMemory({ machine }: FlyConfig, memory: number): boolean {
  const known = machine && memoryOf(machine.data);
  return known !== undefined && known !== memory;
}

/** The paths in their file that a table of ours stands for. */
function targets(config: FlyConfig, redirects: boolean, table: string): string[] {
  const { service, machine, machines } = config;
  const { vm } = config.table;
  if (table === 'vm.0') {
    if (machine) return [machine.path];
    // Beside a [vm] of another group TOML lets no [[vm]] stand
    return vm && !Array.isArray(vm) ? [] : [`vm.${machines.length}`];
  }
  if (!service || !/^(http_service|services)(\.|$)/.test(table)) return [table];
  const path = service.path + table.slice(service.kind.length);
  if (path.startsWith(`${service.checksPath}.0`) && service.checks.length) {
    // Each check of theirs needs the header as well
    if (!path.endsWith('.headers') || !redirects) return [];
    return service.checks.filter(needsHeader).map((check) => `${check.path}.headers`);
  }
  if (!path.endsWith('.ports.0')) return [path];
  const httpPorts = ports(service.data, service.path).filter(
    (port) => speaks(port, 'http') && !speaks(port, 'tls'),
  );
  return httpPorts.map((port) => port.path);
}

/** Whether a check would be redirected. A list of names and values is the form of 2020, beside which TOML lets no table stand. */
function needsHeader({ data }: { data: Table }): boolean {
  const isOldForm = Array.isArray(data.headers) && data.headers.length > 0;
  const headers = Object.keys(tablesAt(data, 'headers')[0]?.data ?? {});
  const isForwarded = headers.some((name) => name.toLowerCase() === 'x-forwarded-proto');
  return data.protocol !== 'https' && !isOldForm && !isForwarded;
}
