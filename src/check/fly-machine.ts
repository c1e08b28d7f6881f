import { Unknown } from '../elixir/value.ts';
import { isLaunchLimit, staysOn } from '../fly/fly-merge.ts';
import { isGpu, memoryOf, memoryRange, sizeOf } from '../fly/machine.ts';
import { setting } from './boot.ts';
import type { FlyFile } from './fly-file.ts';
import { headerOf } from './fly-rules.ts';
import { FLY_TOML } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const r22 = rulesFor(FLY_TOML, 'R2.2');
const r24 = rulesFor(FLY_TOML, 'R2.4');
const r26 = rulesFor(FLY_TOML, 'R2.6');
const b7 = rulesFor(FLY_TOML, 'B7');
const b8 = rulesFor(FLY_TOML, 'B8');

/** What `fly launch` wrote nobody chose; what somebody chose is theirs. */
const chosen = (byOwner: boolean): Weight => (byOwner ? 'advice' : 'should');

/** Every [[vm]] of a size that has a range of memory. */
const sized = ({ machines, line }: FlyFile) =>
  machines.flatMap(({ data, path }) => {
    const size = sizeOf(data);
    const range = memoryRange(size);
    const key = data.memory === undefined && data.memory_mb !== undefined ? 'memory_mb' : 'memory';
    const written = data[key];
    return range
      ? [{ size, ...range, memory: memoryOf(data), written, line: line(`${path}.${key}`) }]
      : [];
  });

/** R2.2: a machine that Fly sells, with memory enough. `fly config validate` does not look at this (C6). */
const machineRules: readonly Rule<FlyFile>[] = [
  r22.advice(
    ({ machines }) => machines.length === 0,
    'no [[vm]]: a first deploy gets 256 MB, and the Erlang VM may run out of memory',
    'npx plop fly-toml -- --memory 1gb, or at the end:\n[[vm]]\nsize = "shared-cpu-1x"\nmemory = "1gb"',
  ),
  r22.must(
    ({ machines, line }) =>
      machines
        .map(({ data, path }) => ({ size: sizeOf(data), line: line(`${path}.size`) }))
        .filter(({ size }) => !memoryRange(size) && !isGpu(size)),
    ({ size }) => `Fly has no machine ${size}`,
    'write: size = "shared-cpu-1x" (or 2x, 4x, 8x, performance-1x …)',
  ),
  r22.must(
    (file) =>
      sized(file).filter(
        ({ memory = 0, least, most }) => memory % 256 || memory < least || memory > most,
      ),
    ({ size, least, most, written }) =>
      `${size} has ${least} to ${most} MB in steps of 256, not ${JSON.stringify(written)}; the deploy fails`,
    'write: memory = "1gb"',
  ),
  r22.should(
    (file) => sized(file).filter(({ memory }) => memory === 256),
    '256 MB are too little for the Erlang VM',
    'write: memory = "1gb"',
  ),
];

/** R2.4, R2.6: HTTPS, the port that the app listens on, and room for LiveView's sockets. */
const serviceRules: readonly Rule<FlyFile>[] = [
  r24.should(
    ({ service, line }) =>
      !service?.forceHttps && {
        line: service && line(`${service.path}.force_https`),
        old: service?.kind === 'services',
      },
    'plain HTTP is not redirected to HTTPS',
    ({ old }) =>
      `under ${old ? 'the [[services.ports]] of port 80' : '[http_service]'}, write: force_https = true`,
  ),
  r26.must(
    ({ service }) => !service,
    'no [http_service], so nothing is served',
    '`npx plop fly-toml` writes it',
  ),
  r26.must(
    ({ service, line }, repo) => {
      const { app, endpoint } = repo.project;
      const listens = setting(repo.boot(), app.otpApp, endpoint.module, 'http', 'port');
      if (listens instanceof Unknown)
        return [new Doubt(`which port the app listens on is decided by ${listens.why}`)];
      const port = Number(listens ?? Number.NaN);
      const knocks = service?.internalPort ?? 8080;
      if (!service || Number.isNaN(port) || port === knocks) return [];
      return [{ line: line(`${service.path}.internal_port`), port, knocks }];
    },
    ({ port, knocks }) => `the app listens on ${port}, and Fly connects to ${knocks}`,
    ({ port }) => `write: internal_port = ${port}`,
  ),
  r26.should(
    ({ service, line }) => {
      const none = service && service.data.concurrency === undefined;
      return none ? [{ line: line(service.path), header: headerOf(service) }] : [];
    },
    'no concurrency: from 20 connections on, LiveView sockets are throttled',
    ({ header }) =>
      `add:\n[${header}.concurrency]\ntype = "connections"\nsoft_limit = 1000\nhard_limit = 1000`,
  ),
  r26.advice(
    ({ service, line }) =>
      service?.concurrency?.type === 'requests' && {
        line: line(`${service?.path}.concurrency.type`),
      },
    'the limits count requests, and a LiveView page is one request that never ends',
    'write: type = "connections"',
  ),
  r26.should(
    ({ service, line }) => {
      if (!service?.concurrency) return undefined;
      const { soft_limit: soft = 20, hard_limit: hard = 1000 } = service.concurrency;
      const most = Math.min(Number(soft), Number(hard));
      const weight = chosen(!isLaunchLimit(service.concurrency));
      const place = line(`${service.path}.concurrency.soft_limit`);
      return most < 500 && { line: place, weight, most };
    },
    ({ most }) => `from ${most} connections on, LiveView sockets are throttled`,
    'write: soft_limit = 1000 and hard_limit = 1000',
  ),
];

/** B7: what stops starts again, and what runs in the background goes on, once. */
const idleRules: readonly Rule<FlyFile>[] = [
  b7.should(
    ({ service, machine, table, line }) => {
      const memory = (machine && memoryOf(machine.data)) ?? 0;
      if (service?.autoStop !== 'suspend' || (!table.swap_size_mb && memory <= 4096)) return [];
      if (table.swap_size_mb) return [{ line: line('swap_size_mb'), swap: true }];
      return [{ line: line(`${service.path}.auto_stop_machines`), swap: false }];
    },
    ({ swap }) => `a machine with ${swap ? 'swap' : 'more than 4 GB'} cannot be suspended`,
    ({ swap }) => `${swap ? 'remove it, or ' : ''}write: auto_stop_machines = "stop"`,
  ),
  b7.must(
    ({ service, line }) =>
      service &&
      !staysOn(service) &&
      service.data.auto_start_machines === false && {
        line: line(`${service?.path}.auto_start_machines`),
      },
    'a machine that is stopped never starts again',
    'write: auto_start_machines = true',
  ),
  b7.should(
    ({ service, workers, line }, { project: { background } }) =>
      service &&
      !staysOn(service) &&
      workers.length === 0 &&
      background.length && {
        line: line(`${service?.path}.auto_stop_machines`),
        who: background.join(', '),
      },
    ({ who }) =>
      `after some minutes without requests the machine stops, and these workers with it: ${who}`,
    'write: auto_stop_machines = "off" and min_machines_running = 1',
  ),
  b7.should(
    ({ deploy: { strategy }, line }, { project: { background } }) =>
      background.length &&
      (strategy === 'bluegreen' || strategy === 'canary') && {
        line: line('deploy.strategy'),
        strategy,
        who: background.join(', '),
      },
    ({ strategy, who }) =>
      `${strategy} starts new machines beside the old ones, so these workers run twice meanwhile: ${who}`,
    'write: strategy = "rolling"',
  ),
];

/** B8: the VM gets SIGTERM and time to end what it does. What `fly launch` wrote nobody chose. */
const stopRules: readonly Rule<FlyFile>[] = [
  b8.should(
    ({ table: { kill_signal: given = 'SIGINT' }, line }) => {
      const weight = chosen(given !== 'SIGINT');
      return given !== 'SIGTERM' && { line: line('kill_signal'), weight, given };
    },
    ({ given }) => `Fly sends ${given}, and the VM stops at once`,
    'above the first [table], write: kill_signal = "SIGTERM"',
  ),
  b8.should(
    ({ killTimeout: given = 5, line }) => {
      const found = { line: line('kill_timeout'), weight: chosen(given !== 5), given };
      return (given < 20 || given > 300) && found;
    },
    ({ given }) =>
      `after ${Math.min(given, 300)} s it is killed, with requests and jobs still running`,
    'above the first [table], write: kill_timeout = "30s"',
  ),
];

export const flyMachineRules: readonly Rule<FlyFile>[] = [
  ...machineRules,
  ...serviceRules,
  ...idleRules,
  ...stopRules,
];
