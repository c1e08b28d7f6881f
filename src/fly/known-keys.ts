import { type Table, tablesAt } from './fly-config.ts';

const VM =
  'size memory cpus cpu_kind memory_mb max_memory_mb gpus gpu_kind host_dedication_id persist_rootfs kernel_args processes';
const HTTP_CHECK =
  'interval timeout grace_period method path protocol tls_skip_verify tls_server_name headers';
const MACHINE_CHECK = 'command image entrypoint kill_signal kill_timeout';
const CONCURRENCY = 'type hard_limit soft_limit';
const TLS = 'alpn versions default_self_signed';
const HTTP = 'compress response h2_backend idle_timeout headers_read_timeout replay_cache';
const REPLAY = 'path_prefix ttl_seconds type name allow_bypass';

/**
 * The keys of each table that flyctl knows, the older names that it still takes included; a table that isn't here takes
 * any. From flyctl internal/appconfig/{config,service,toplevelcheck,patches}.go and fly-go machine_types.go, 2026-08.
 */
const KEYS: Readonly<Record<string, string>> = {
  '': 'app primary_region kill_signal kill_timeout swap_size_mb console_command host_dedication_id machine_config container experimental build deploy env processes mounts mount http_service services checks files machine_checks restart vm compute computes statics metrics metric',
  experimental:
    'cmd entrypoint exec auto_rollback enable_consul enable_etcd lazy_load_images attached machine_config kill_timeout metrics_port metrics_path',
  build:
    'builder args buildpacks image settings builtin dockerfile ignorefile build-target build_target compose compression compression_level',
  'build.compose': 'file',
  deploy:
    'strategy max_unavailable wait_timeout release_command release_command_timeout release_command_vm seed_command',
  'deploy.release_command_vm': VM,
  http_service:
    'internal_port force_https auto_stop_machines auto_start_machines min_machines_running processes concurrency tls_options http_options checks machine_checks',
  'http_service.concurrency': CONCURRENCY,
  'http_service.tls_options': TLS,
  'http_service.http_options': HTTP,
  'http_service.http_options.response': 'headers pristine',
  'http_service.http_options.replay_cache': REPLAY,
  'http_service.checks': HTTP_CHECK,
  'http_service.machine_checks': MACHINE_CHECK,
  services:
    'protocol internal_port auto_stop_machines auto_start_machines min_machines_running ports concurrency tcp_checks http_checks machine_checks processes',
  'services.concurrency': CONCURRENCY,
  'services.ports':
    'port start_port end_port handlers force_https tls_options http_options proxy_proto_options',
  'services.ports.tls_options': TLS,
  'services.ports.http_options': HTTP,
  'services.ports.http_options.response': 'headers pristine',
  'services.ports.http_options.replay_cache': REPLAY,
  'services.ports.proxy_proto_options': 'version',
  'services.tcp_checks': 'interval timeout grace_period',
  'services.http_checks': HTTP_CHECK,
  'services.machine_checks': MACHINE_CHECK,
  machine_checks: MACHINE_CHECK,
  'checks.*': `port type processes ${HTTP_CHECK}`,
  files: 'guest_path local_path secret_name raw_value processes',
  mounts:
    'source destination initial_size snapshot_retention scheduled_snapshots auto_extend_size_threshold auto_extend_size_increment auto_extend_size_limit processes',
  restart: 'policy retries processes',
  statics: 'guest_path url_prefix tigris_bucket index_document',
  metrics: 'port path https processes',
  vm: VM,
};

export interface UnknownKey {
  path: string;
  key: string;
  /** The key that was meant, where one looks like it. */
  meant: string | undefined;
  /** The table that the key belongs to, where there is one of this name elsewhere. */
  home: string | undefined;
}

/** Keys that flyctl takes no notice of (it rejects them with --strict), at every level. */
export function unknownKeys(table: Table, path = '', schema = ''): UnknownKey[] {
  const names = KEYS[schema]?.split(' ');
  const inner = (key: string): string => (schema ? `${schema}.${key}` : key);
  return Object.keys(table).flatMap((key) => {
    const where = path ? `${path}.${key}` : key;
    if (names && !names.includes(key)) {
      const home = Object.keys(KEYS).find((name) => name && KEYS[name]?.split(' ').includes(key));
      return [{ path: where, key, meant: names.find((name) => isLike(name, key)), home }];
    }
    const below = names ? inner(key) : `${schema}.*`;
    if (!(below in KEYS) && below !== 'checks') return [];
    return tablesAt(table, key, where).flatMap(({ data, path: at }) =>
      unknownKeys(data, at, below),
    );
  });
}

/** One letter more, less or other, two swapped, or the same letters with other signs between them. */
function isLike(name: string, typed: string): boolean {
  const [left, right] = [name, typed].map((word) => word.toLowerCase().replaceAll(/[_-]/g, ''));
  if (left === right || `${left}s` === right || left === `${right}s`) return true;
  return (
    left !== undefined && right !== undefined && distance(left, right) <= (left.length > 5 ? 2 : 1)
  );
}

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
