import type { OnConflict } from '../src/edit/conflict.ts';
import type { MergeRules } from '../src/edit/toml-merge.ts';
import { type FlyConfig, ports, speaks, type Table, tablesAt } from '../src/fly/fly-config.ts';
import { memoryOf, UNSET_MEMORY } from '../src/fly/machine.ts';
import type { Context } from '../src/plan/file.ts';
import { portOf } from './shared.ts';

/** How our fly.toml goes into theirs: what they have stays, but for what `overrules` lists. */
export function mergeRules(there: FlyConfig, context: Context, onConflict: OnConflict): MergeRules {
  const replaces = onConflict === 'replace';
  const { forceSsl } = context.project.endpoint;
  const redirects = forceSsl !== null && forceSsl !== 'false';
  const list = overrules(there, context);
  return {
    targetsOf: (table) => targets(there, redirects, table),
    shouldAdd: (path) => isMissing(there, context, withoutForm(path)),
    shouldReplace: (path, theirs) => {
      const key = withoutForm(path);
      return (replaces || !CONFLICTS.has(key)) && list[key]?.(theirs) === true;
    },
    // The answer about the database stands in the comment
    shouldExplain: (path) => path === 'env.ECTO_IPV6',
    removedPaths: replaces ? there.bypasses : [],
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
function overrules(
  there: FlyConfig,
  { project, answers: { background, memory, postgres } }: Context,
): Record<string, (theirs: unknown) => boolean> {
  const always = () => true;
  const idle = changesIdling(there, background);
  const isLaunched = () => there.service?.launched === true;
  const isOther = () => isOtherMemory(there, memory);
  const once = background && project.background.length > 0;
  const port = portOf(project);
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
    'env.ECTO_IPV6': (theirs) =>
      /^(true|1)$/.test(String(theirs)) === (postgres.kind === 'external'),
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
function isMissing(there: FlyConfig, { answers }: Context, path: string): boolean {
  const { background, memory } = answers;
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
  service?.staysOn !== background;

/** A machine of a size that has no range here is its owner's. */
function isOtherMemory({ machine }: FlyConfig, memory: number): boolean {
  const known = machine && memoryOf(machine.data);
  return known !== undefined && known !== memory;
}

/** The paths in their file that a table of ours stands for. */
function targets(there: FlyConfig, redirects: boolean, table: string): string[] {
  const { service } = there;
  const { vm } = there.table;
  if (table === 'vm.0' && there.machine) return [there.machine.path];
  // Beside a [vm] of another group TOML lets no [[vm]] stand
  if (table === 'vm.0') return vm && !Array.isArray(vm) ? [] : [`vm.${there.machines.length}`];
  if (!service || !/^(http_service|services)(\.|$)/.test(table)) return [table];
  const path = service.path + table.slice(service.kind.length);
  if (path.startsWith(`${service.checksPath}.0`) && service.checks.length) {
    // Each check of theirs needs the header as well
    if (!path.endsWith('.headers') || !redirects) return [];
    return service.checks.filter(needsHeader).map((check) => `${check.path}.headers`);
  }
  if (!path.endsWith('.ports.0')) return [path];
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
