import { type Table, tablesAt } from './fly-config.ts';

const VM =
  'size memory cpus cpu_kind memory_mb max_memory_mb gpus gpu_kind host_dedication_id persist_rootfs kernel_args processes';
const CHECK =
  'interval timeout grace_period method path protocol tls_skip_verify tls_server_name headers';
const SERVICE =
  'internal_port auto_stop_machines auto_start_machines min_machines_running processes concurrency machine_checks';

/**
 * The keys of each table that flyctl knows, by the table's own name, the older names that it still takes included; a table
 * that isn't here takes any. From flyctl internal/appconfig/{config,service,toplevelcheck,patches}.go and fly-go
 * machine_types.go, 2026-08.
 */
const KEYS: Readonly<Record<string, string>> = {
  '': 'app primary_region kill_signal kill_timeout swap_size_mb console_command host_dedication_id machine_config container experimental build deploy env processes mounts mount http_service services checks files machine_checks restart vm compute computes statics metrics metric',
  experimental:
    'cmd entrypoint exec auto_rollback enable_consul enable_etcd lazy_load_images attached machine_config kill_timeout metrics_port metrics_path',
  build:
    'builder args buildpacks image settings builtin dockerfile ignorefile build-target build_target compose compression compression_level',
  compose: 'file',
  deploy:
    'strategy max_unavailable wait_timeout release_command release_command_timeout release_command_vm seed_command',
  release_command_vm: VM,
  http_service: `force_https tls_options http_options checks ${SERVICE}`,
  services: `protocol ports tcp_checks http_checks ${SERVICE}`,
  concurrency: 'type hard_limit soft_limit',
  ports:
    'port start_port end_port handlers force_https tls_options http_options proxy_proto_options',
  tls_options: 'alpn versions default_self_signed',
  http_options: 'compress response h2_backend idle_timeout headers_read_timeout replay_cache',
  response: 'headers pristine',
  replay_cache: 'path_prefix ttl_seconds type name allow_bypass',
  proxy_proto_options: 'version',
  tcp_checks: 'interval timeout grace_period',
  http_checks: CHECK,
  checks: CHECK,
  'checks.*': `port type processes ${CHECK}`,
  machine_checks: 'command image entrypoint kill_signal kill_timeout',
  files: 'guest_path local_path secret_name raw_value processes',
  mounts:
    'source destination initial_size snapshot_retention scheduled_snapshots auto_extend_size_threshold auto_extend_size_increment auto_extend_size_limit processes',
  restart: 'policy retries processes',
  statics: 'guest_path url_prefix tigris_bucket index_document',
  metrics: 'port path https processes',
  vm: VM,
};

/** The paths of keys that flyctl takes no notice of (it rejects them with --strict), at every level. */
export function unknownKeys(table: Table, path = '', name = ''): string[] {
  // The checks at the top have names of their own
  const isMap = path === 'checks';
  return Object.keys(table).flatMap((key) => {
    const keyPath = path ? `${path}.${key}` : key;
    const schema = isMap ? 'checks.*' : key;
    if (!isMap && !KEYS[name]?.split(' ').includes(key)) return keyPath;
    return schema in KEYS
      ? tablesAt(table, key, keyPath).flatMap(({ data, path }) => unknownKeys(data, path, schema))
      : [];
  });
}
