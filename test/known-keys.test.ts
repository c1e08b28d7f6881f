import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unknownKeys } from '../src/fly/known-keys.ts';
import { parseFlyToml } from './support/fly-toml.ts';

const unknown = (text: string) => unknownKeys(parseFlyToml(text));

test("flyctl's keys are known at every level, older names too", () =>
  assert.equal(
    unknown(`container = "app"
machine_config = "machine.json"
host_dedication_id = "1"
swap_size_mb = 512
experimental = { auto_rollback = true, attached = { secrets = { export = { A = "B" } } } }
env = { ANY = "1" }
processes = { any = "run" }
machine_checks = [{ image = "curl" }]
restart = [{ policy = "always", retries = 1 }]
files = [{ guest_path = "/a", secret_name = "A" }]
statics = [{ guest_path = "/a", url_prefix = "/a", tigris_bucket = "b" }]
mount = { source = "a" }
mounts = [{ source = "a", auto_extend_size_limit = "5GB" }]
metrics = { port = 1, https = true }
vm = [{ gpu_kind = "a10", persist_rootfs = "never", kernel_args = ["quiet"] }]
[build]
build-target = "x"
args = { ANY = "1" }
settings = { any = 1 }
compression = "zstd"
compose = { file = "compose.yml" }
[deploy]
seed_command = "x"
release_command_vm.memory = "8g"
[checks.any]
type = "http"
port = 1
headers = { Any = "1" }
[http_service]
processes = ["app"]
http_options = { compress = true, response = { pristine = true, headers = { any = false } } }
tls_options = { alpn = ["h2"] }
machine_checks = [{ command = ["x"] }]
[[services]]
ports = [{ start_port = 1, proxy_proto_options = { version = "v2" } }]
tcp_checks = [{ interval = "1s" }]
`),
    [],
  ));

test('unknown keys are named with their path', () => {
  assert.equal(
    unknown('services = [{ ports = [{ handler = ["http"] }] }]\n[checks.a]\nports = 1\n'),
    ['services.0.ports.0.handler', 'checks.a.ports'],
  );
  assert.equal(
    unknown(
      'kill_sgnal = "x"\n[deploy]\nstratgy = "x"\nrelease_command_vm = { sizes = "x" }\n[[vm]]\nsise = "x"\n[http_service.concurrency]\nsoftlimit = 5\n[[mounts]]\nsources = "x"\n',
    ),
    [
      'kill_sgnal',
      'deploy.stratgy',
      'deploy.release_command_vm.sizes',
      'vm.0.sise',
      'http_service.concurrency.softlimit',
      'mounts.0.sources',
    ],
  );
});

test.run();
