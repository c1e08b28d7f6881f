import { Unknown } from '../elixir/value.ts';
import { isLaunchLimit, staysOn } from '../fly/fly-merge.ts';
import { isGpu, memoryOf, memoryRange, sizeOf } from '../fly/machine.ts';
import { setting } from './boot.ts';
import type { FlyFile } from './fly-file.ts';
import { headerOf } from './fly-rules.ts';
import { FLY_TOML } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight, when } from './rule.ts';

const rule = rulesFor(FLY_TOML);

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
  rule({
    id: 'R2.2',
    weight: 'advice',
    find: ({ machines }) => when(machines.length === 0, {}),
    say: () => 'no [[vm]]: a first deploy gets 256 MB, and the Erlang VM may run out of memory',
    mend: () =>
      'npx plop fly-toml -- --memory 1gb, or at the end:\n[[vm]]\nsize = "shared-cpu-1x"\nmemory = "1gb"',
  }),
  rule({
    id: 'R2.2',
    weight: 'must',
    find: ({ machines, line }) =>
      machines
        .map(({ data, path }) => ({ size: sizeOf(data), line: line(`${path}.size`) }))
        .filter(({ size }) => !memoryRange(size) && !isGpu(size)),
    say: ({ size }) => `Fly has no machine ${size}`,
    mend: () => 'write: size = "shared-cpu-1x" (or 2x, 4x, 8x, performance-1x …)',
  }),
  rule({
    id: 'R2.2',
    weight: 'must',
    find: (file) =>
      sized(file).filter(
        ({ memory = 0, least, most }) => memory % 256 || memory < least || memory > most,
      ),
    say: ({ size, least, most, written }) =>
      `${size} has ${least} to ${most} MB in steps of 256, not ${JSON.stringify(written)}; the deploy fails`,
    mend: () => 'write: memory = "1gb"',
  }),
  rule({
    id: 'R2.2',
    weight: 'should',
    find: (file) => sized(file).filter(({ memory }) => memory === 256),
    say: () => '256 MB are too little for the Erlang VM',
    mend: () => 'write: memory = "1gb"',
  }),
];

/** R2.4, R2.6: HTTPS, the port that the app listens on, and room for LiveView's sockets. */
const serviceRules: readonly Rule<FlyFile>[] = [
  rule({
    id: 'R2.4',
    weight: 'should',
    find: ({ service, line }) =>
      when(!service?.forceHttps, {
        line: service && line(`${service.path}.force_https`),
        old: service?.kind === 'services',
      }),
    say: () => 'plain HTTP is not redirected to HTTPS',
    mend: ({ old }) =>
      `under ${old ? 'the [[services.ports]] of port 80' : '[http_service]'}, write: force_https = true`,
  }),
  rule({
    id: 'R2.6',
    weight: 'must',
    find: ({ service }) => when(!service, {}),
    say: () => 'no [http_service], so nothing is served',
    mend: () => '`npx plop fly-toml` writes it',
  }),
  rule({
    id: 'R2.6',
    weight: 'must',
    find: ({ service, line }, repo) => {
      const { app, endpoint } = repo.project;
      const listens = setting(repo.boot(), app.otpApp, endpoint.module, 'http', 'port');
      if (listens instanceof Unknown)
        return [new Doubt(`which port the app listens on is decided by ${listens.why}`)];
      const port = Number(listens ?? Number.NaN);
      const knocks = service?.internalPort ?? 8080;
      if (!service || Number.isNaN(port) || port === knocks) return [];
      return [{ line: line(`${service.path}.internal_port`), port, knocks }];
    },
    say: ({ port, knocks }) => `the app listens on ${port}, and Fly connects to ${knocks}`,
    mend: ({ port }) => `write: internal_port = ${port}`,
  }),
  rule({
    id: 'R2.6',
    weight: 'should',
    find: ({ service, line }) => {
      const none = service && service.data.concurrency === undefined;
      return none ? [{ line: line(service.path), header: headerOf(service) }] : [];
    },
    say: () => 'no concurrency: from 20 connections on, LiveView sockets are throttled',
    mend: ({ header }) =>
      `add:\n[${header}.concurrency]\ntype = "connections"\nsoft_limit = 1000\nhard_limit = 1000`,
  }),
  rule({
    id: 'R2.6',
    weight: 'advice',
    find: ({ service, line }) =>
      when(service?.concurrency?.type === 'requests', {
        line: line(`${service?.path}.concurrency.type`),
      }),
    say: () => 'the limits count requests, and a LiveView page is one request that never ends',
    mend: () => 'write: type = "connections"',
  }),
  rule({
    id: 'R2.6',
    weight: 'should',
    find: ({ service, line }) => {
      if (!service?.concurrency) return [];
      const { soft_limit: soft = 20, hard_limit: hard = 1000 } = service.concurrency;
      const most = Math.min(Number(soft), Number(hard));
      const weight = chosen(!isLaunchLimit(service.concurrency));
      const place = line(`${service.path}.concurrency.soft_limit`);
      return when(most < 500, { line: place, weight, most });
    },
    say: ({ most }) => `from ${most} connections on, LiveView sockets are throttled`,
    mend: () => 'write: soft_limit = 1000 and hard_limit = 1000',
  }),
];

/** B7: what stops starts again, and what runs in the background goes on, once. */
const idleRules: readonly Rule<FlyFile>[] = [
  rule({
    id: 'B7',
    weight: 'should',
    find: ({ service, machine, table, line }) => {
      const memory = (machine && memoryOf(machine.data)) ?? 0;
      if (service?.autoStop !== 'suspend' || (!table.swap_size_mb && memory <= 4096)) return [];
      if (table.swap_size_mb) return [{ line: line('swap_size_mb'), swap: true }];
      return [{ line: line(`${service.path}.auto_stop_machines`), swap: false }];
    },
    say: ({ swap }) => `a machine with ${swap ? 'swap' : 'more than 4 GB'} cannot be suspended`,
    mend: ({ swap }) => `${swap ? 'remove it, or ' : ''}write: auto_stop_machines = "stop"`,
  }),
  rule({
    id: 'B7',
    weight: 'must',
    find: ({ service, line }) =>
      when(service && !staysOn(service) && service.data.auto_start_machines === false, {
        line: line(`${service?.path}.auto_start_machines`),
      }),
    say: () => 'a machine that is stopped never starts again',
    mend: () => 'write: auto_start_machines = true',
  }),
  rule({
    id: 'B7',
    weight: 'should',
    find: ({ service, workers, line }, { project: { background } }) =>
      when(service && !staysOn(service) && workers.length === 0 && background.length, {
        line: line(`${service?.path}.auto_stop_machines`),
        who: background.join(', '),
      }),
    say: ({ who }) =>
      `after some minutes without requests the machine stops, and these workers with it: ${who}`,
    mend: () => 'write: auto_stop_machines = "off" and min_machines_running = 1',
  }),
  rule({
    id: 'B7',
    weight: 'should',
    find: ({ deploy: { strategy }, line }, { project: { background } }) =>
      when(background.length && (strategy === 'bluegreen' || strategy === 'canary'), {
        line: line('deploy.strategy'),
        strategy,
        who: background.join(', '),
      }),
    say: ({ strategy, who }) =>
      `${strategy} starts new machines beside the old ones, so these workers run twice meanwhile: ${who}`,
    mend: () => 'write: strategy = "rolling"',
  }),
];

/** B8: the VM gets SIGTERM and time to end what it does. What `fly launch` wrote nobody chose. */
const stopRules: readonly Rule<FlyFile>[] = [
  rule({
    id: 'B8',
    weight: 'should',
    find: ({ table: { kill_signal: given = 'SIGINT' }, line }) => {
      const weight = chosen(given !== 'SIGINT');
      return when(given !== 'SIGTERM', { line: line('kill_signal'), weight, given });
    },
    say: ({ given }) => `Fly sends ${given}, and the VM stops at once`,
    mend: () => 'above the first [table], write: kill_signal = "SIGTERM"',
  }),
  rule({
    id: 'B8',
    weight: 'should',
    find: ({ killTimeout: given = 5, line }) => {
      const found = { line: line('kill_timeout'), weight: chosen(given !== 5), given };
      return when(given < 20 || given > 300, found);
    },
    say: ({ given }) =>
      `after ${Math.min(given, 300)} s it is killed, with requests and jobs still running`,
    mend: () => 'above the first [table], write: kill_timeout = "30s"',
  }),
];

export const flyMachineRules: readonly Rule<FlyFile>[] = [
  ...machineRules,
  ...serviceRules,
  ...idleRules,
  ...stopRules,
];
