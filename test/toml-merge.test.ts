import TOML from '@iarna/toml';
import { diffLines } from 'diff';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnConflict } from '../src/edit/conflict.ts';
import { FLAGS, type Flags } from './support/fixture.ts';
import { changedPaths, generate, valueAt, withWorkers } from './support/fly-toml.ts';

const merged = (theirs: string, flags: Flags = FLAGS, conflict?: OnConflict): string =>
  generate(theirs, { project: withWorkers, flags, conflict }).after;
const parse = (text: string) => TOML.parse(text.replaceAll('\r\n', '\n').replace('\uFEFF', ''));

interface Case {
  theirs: string;
  flags?: Flags;
  conflict?: OnConflict;
  /** The values of theirs that may change. */
  changes?: string[];
  /** Values that it has afterwards; those of theirs are checked in any case. */
  has?: Record<string, unknown>;
}

const HEADER = 'X-Forwarded-Proto';
const cases: Record<string, Case> = {
  'what fly launch wrote in 2022: services stay, unused lists give way, the old limits are lifted':
    {
      theirs: `# made for shop\n\napp = "shop"\nkill_signal = "SIGINT"\nkill_timeout = 5\nprocesses = []\n\n[env]\n\n[experimental]\n  allowed_public_ports = []\n  auto_rollback = true\n\n[[services]]\n  http_checks = []\n  internal_port = 8080\n  processes = ["app"]\n  protocol = "tcp"\n  script_checks = []\n  [services.concurrency]\n    hard_limit = 25\n    soft_limit = 20\n    type = "connections"\n\n  [[services.ports]]\n    handlers = ["http"]\n    port = 80\n\n  [[services.ports]]\n    handlers = ["tls", "http"]\n    port = 443\n\n  [[services.tcp_checks]]\n    interval = "15s"\n    timeout = "2s"\n`,
      changes: [
        'kill_signal',
        'kill_timeout',
        'services.0.concurrency.hard_limit',
        'services.0.concurrency.soft_limit',
      ],
      has: {
        'env.PORT': '8080',
        'services.0.http_checks.0.path': '/health',
        [`services.0.http_checks.0.headers.${HEADER}`]: 'https',
        'services.0.ports.0.force_https': true,
        'services.0.ports.1.force_https': undefined,
        'services.0.concurrency.soft_limit': 1000,
        http_service: undefined,
        'services.0.auto_stop_machines': undefined,
        vm: undefined,
        deploy: undefined,
      },
    },
  'several services: only the one that serves the pages is touched': {
    theirs:
      'app = "shop"\n[processes]\nweb = "server"\nmail = "smtp"\n\n[[services]]\ninternal_port = 25\nprotocol = "tcp"\nprocesses = ["mail"]\n[[services.ports]]\nport = 25\n\n[[services]] # pages\ninternal_port = 4001\nprotocol = "tcp"\nprocesses = ["web"]\n[[services.ports]]\nport = 443\nhandlers = ["tls", "http"]\n\n# udp\n[[services]]\ninternal_port = 9999\nprotocol = "udp"\nprocesses = ["mail"]\n# last words\n',
    has: {
      'services.length': 3,
      'services.0.http_checks': undefined,
      'services.1.http_checks.0.path': '/health',
      'services.2.http_checks': undefined,
      'services.1.concurrency.soft_limit': 1000,
      'env.PORT': '4001',
      'vm.0.processes.0': 'web',
      'vm.0.memory': '1gb',
      http_service: undefined,
      'services.0.concurrency': undefined,
      'services.2.concurrency': undefined,
    },
    flags: { ...FLAGS, memory: '1gb' },
  },
  'no service speaks HTTP: it gets one, for the group that is named': {
    theirs:
      'app = "shop"\n[processes]\napp = "start"\nworker = "work"\n[[services]]\ninternal_port = 25\nprotocol = "tcp"\nprocesses = ["worker"]\n[[services]]\ninternal_port = 26\nprotocol = "tcp"\nprocesses = ["worker"]\n',
    has: {
      'http_service.processes.0': 'app',
      'http_service.internal_port': 4000,
      'vm.0.processes.0': 'app',
    },
    flags: { ...FLAGS, memory: '1gb' },
  },
  'the one service, without ports, is the one': {
    theirs: '[[services]]\ninternal_port = 8080\nprotocol = "tcp"\n',
    has: { 'services.0.http_checks.0.path': '/health', http_service: undefined },
  },
  'the last table takes its own before new ones come': {
    theirs: 'app = "shop"\n\n[http_service]\n  internal_port = 9999\n',
    has: {
      'http_service.force_https': true,
      'env.PORT': '9999',
      'env.force_https': undefined,
      deploy: undefined,
    },
  },
  'a table below another one whose header is missing': {
    theirs: '[http_service.concurrency]\ntype = "requests"\n',
    has: { 'http_service.internal_port': 4000, 'http_service.concurrency.soft_limit': 1000 },
  },
  'tables in braces take what is missing in their own form': {
    theirs:
      'app = "shop" # "app = x"\nvm = [{ size = "shared-cpu-1x" }]\nenv = { "A" = "1" }\ndeploy = {}\n[http_service]\ninternal_port = 8080\nconcurrency = { type = "requests", soft_limit = 5 }\n',
    has: {
      'http_service.force_https': true,
      'http_service.concurrency.hard_limit': undefined,
      'http_service.checks.0.path': '/health',
      [`http_service.checks.0.headers.${HEADER}`]: 'https',
      'vm.0.memory': '1gb',
      'env.PORT': '8080',
    },
    flags: { ...FLAGS, memory: '1gb' },
  },
  'empty lists give way to tables': {
    theirs: 'app = "shop"\nvm = []\n[http_service]\ninternal_port = 4000\nchecks = []\n',
    has: {
      'http_service.checks.0.path': '/health',
      'http_service.concurrency.soft_limit': 1000,
      'vm.0.memory': '1gb',
    },
    flags: { ...FLAGS, memory: '1gb' },
  },
  'checks of theirs stay and gain the header, where it is missing': {
    theirs:
      '[http_service]\ninternal_port = 4000\n\n[[http_service.checks]]\npath = "/"\n\n[[http_service.checks]]\npath = "/b"\nheaders = { X-Forwarded-proto = "https" }\n\n[[http_service.checks]]\npath = "/c"\n[http_service.checks.headers]\nHost = "a"\n\n[[http_service.checks]]\nprotocol = "https"\n\n[[vm]]\nmemory_mb = 512\n',
    has: {
      [`http_service.checks.0.headers.${HEADER}`]: 'https',
      [`http_service.checks.1.headers.${HEADER}`]: undefined,
      [`http_service.checks.2.headers.${HEADER}`]: 'https',
      'http_service.checks.3.headers': undefined,
      'http_service.checks.length': 4,
      'vm.0.memory': undefined,
      'vm.0.size': undefined,
    },
  },
  '[vm] as one table, numbers where text is meant': {
    theirs: '[env]\nPORT = 8080\n[http_service]\ninternal_port = 8080\n[vm]\nmemory = 512\n',
  },
  "a larger machine, other limits and an own way to deploy are its owner's": {
    theirs:
      '[deploy]\nstrategy = "bluegreen"\nrelease_command = "bin/own"\n[http_service]\ninternal_port = 4000\nauto_stop_machines = "stop"\nauto_start_machines = true\nmin_machines_running = 2\n[http_service.concurrency]\ntype = "requests"\nhard_limit = 50\n[[vm]]\nsize = "performance-1x"\nprocesses = ["worker"]\n[[vm]]\nsize = "performance-2x"\n[mounts]\nsource = "d"\ndestination = "/d"\n',
    has: { 'http_service.concurrency.soft_limit': 50, 'vm.1.memory': undefined, 'vm.length': 2 },
  },
  'an answer takes the place of what was there': {
    theirs:
      "app = 'old' # mine\nprimary_region = 'ams'\n[env]\nPHX_HOST = 'old.fly.dev'\nECTO_IPV6 = \"true\"\n[http_service]\ninternal_port = 4000\nforce_https = false\nauto_stop_machines = true # why\n[deploy]\nstrategy = 'canary'\n[[vm]]\nmemory_mb = 512\n",
    flags: { app: 'shop', region: 'lhr', postgres: 'external', background: 'yes', memory: '2gb' },
    conflict: 'replace',
    changes: [
      'app',
      'primary_region',
      'env.PHX_HOST',
      'env.ECTO_IPV6',
      'http_service.force_https',
      'http_service.auto_stop_machines',
      'deploy.strategy',
      'vm.0.memory_mb',
    ],
    has: {
      app: 'shop',
      'env.PHX_HOST': 'shop.fly.dev',
      'env.ECTO_IPV6': 'false',
      'http_service.auto_stop_machines': 'off',
      'http_service.min_machines_running': 1,
      'vm.0.memory_mb': 2048,
      'deploy.strategy': 'rolling',
    },
  },
  'multi-line strings, quoted and escaped keys, comments that look like tables': {
    theirs: `# [http_service]\napp = "shop"\n\n[env] # [env]\n  "PORT.x" = """\n[http_service]\n  PORT = "1"\n"""\n  'a b' = '''x'''\n  "\\u0041" = "#"\n  # PORT = "2"\n\n  # below\n[build]\n\n    [ "http_service" ]\n    # nothing yet\n#end`,
    has: { 'env.PORT': '4000', 'http_service.internal_port': 4000 },
  },
  'comments only': { theirs: '# one\n\n# two' },
  'a [vm] of another group': {
    theirs:
      '[vm]\nmemory_mb = 512\nprocesses = ["m"]\n[http_service]\ninternal_port = 4000\nprocesses = ["app"]\n',
    has: { 'vm.size': undefined },
    flags: { ...FLAGS, memory: '1gb' },
  },
  'services without their list': {
    theirs: '[services.concurrency]\nhard_limit = 5\n[services]\ninternal_port = 8080\n',
    has: { 'services.http_checks.0.path': '/health', 'services.concurrency.soft_limit': 5 },
  },
  'forms of 2020: headers as a list, limits in one text, [[processes]]': {
    theirs:
      '[[services]]\ninternal_port = "8080"\nconcurrency = "12,23"\n[[services.ports]]\nport = "80"\nhandlers = ["http"]\n[[services.http_checks]]\ninterval = 30000\n[[services.http_checks.headers]]\nname = "origin"\nvalue = "x"\n[[services.http_checks]]\ninterval = "20s"\n[services.http_checks.headers]\nmetoo = true\n[[processes]]\n# none\n[mount]\nsource = "data"\n',
    has: {
      'services.0.http_checks.0.headers.length': 1,
      [`services.0.http_checks.1.headers.${HEADER}`]: 'https',
      'services.0.ports.0.force_https': true,
      'env.PORT': '8080',
    },
  },
  'what our keys stand for is something else': {
    theirs: 'app = "shop"\nenv = "x"\nhttp_service = 3\nvm = "big"\ndeploy = 1\n',
  },
};

for (const [name, { theirs, flags = FLAGS, conflict, changes = [], has = {} }] of Object.entries(
  cases,
)) {
  test(name, () => {
    const run = (text: string) => merged(text, flags, conflict);
    const after = run(theirs);
    const data = parse(after);
    assert.equal(changedPaths(parse(theirs), data), changes);
    const { notes } = generate(theirs, { project: withWorkers, flags });
    for (const path of conflict ? [] : changes)
      assert.match(notes.join('\n'), `${path.replaceAll(/\.\d+/g, '')} is `);
    for (const [path, value] of Object.entries(has)) assert.equal(valueAt(data, path), value, path);
    const removed = diffLines(theirs.endsWith('\n') ? theirs : `${theirs}\n`, after)
      .filter((part) => part.removed)
      .flatMap((part) => part.value.trimEnd().split('\n'));
    for (const line of removed)
      assert.ok(
        /^[^#]*= *('|{|\[)/.test(line) ||
          changes.some((path) => line.trimStart().startsWith(path.split('.').at(-1) ?? '?')),
        `lost the line ${line}`,
      );
    for (const [comment] of theirs.matchAll(/^ *#.*\n *\[.*/gm))
      assert.ok(after.includes(comment), `${comment} is torn apart`);
    if (/^\[/m.test(theirs) && !/^ /m.test(theirs)) assert.not.match(after, /^ /m);
    assert.ok(after === theirs || after.endsWith('\n'));
    assert.is(run(after), after, 'a second run changes it again');
    assert.is(run(theirs.replaceAll('\n', '\r\n')), after.replaceAll('\n', '\r\n'), 'CRLF');
    assert.is(run(`\uFEFF${theirs}`), after, 'byte-order mark');
    const open = after.trimEnd();
    assert.is(run(open), open, 'no line break at the end');
  });
}

test('dotted keys and tables in braces are refused, with what to write', () => {
  assert.throws(() => merged('http_service.internal_port = 8080\n'), /under its own header/);
  assert.throws(
    () => merged('http_service = { internal_port = 4000, checks = [] }\n'),
    /^http_service is a table in braces.*under a header of its own/,
  );
});

test('a list of [[env]], a form of 2020, is refused with what to do', () => {
  assert.throws(() => merged('[[env]]\nPORT = 8080\n'), /write each of its tables under its own/);
});

test('each change says why, and comments behind a value stay', () => {
  const after = merged(
    "app = 'old' # mine\n# The Erlang VM shuts down in order on SIGTERM; Fly's default is SIGINT\nkill_signal = 'SIGINT'\nkill_timeout = 5\n\n[http_service]\n    internal_port = 4000 # p\n    force_https = false # f\n    # Redirects plain HTTP to HTTPS\n",
    FLAGS,
    'replace',
  );
  assert.match(
    merged('env = { A = "1" }\n[http_service]\ninternal_port = 8080\n'),
    /# The same port as internal_port below and EXPOSE in the Dockerfile\n(#.*\n)*env = \{/,
  );
  for (const lines of [
    "app = 'shop' # mine\n# The Erlang VM shuts down in order on SIGTERM; Fly's default is SIGINT\nkill_signal = 'SIGTERM'\n",
    '# Time for running requests and jobs to end; Fly\'s default is 5 seconds\nkill_timeout = "30s"\n',
    '    internal_port = 4000 # p\n    # Redirects plain HTTP to HTTPS\n    force_https = true # f\n',
  ])
    assert.ok(after.includes(lines), `${lines} in ${after}`);
});

test.run();
