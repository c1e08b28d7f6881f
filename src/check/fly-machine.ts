import { Unknown } from '../elixir/value.ts';
import type { Service } from '../fly/fly-config.ts';
import { isGpu, memoryOf, memoryRange, sizeOf } from '../fly/machine.ts';
import { startsTwins } from './fly-rules.ts';
import type { FlyFile, Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { endpointOf } from './runtime-settings.ts';

const machineSize = rulesFor<FlyFile>('R2.2');
const httpsOnly = rulesFor<FlyFile>('R2.4');
const traffic = rulesFor<FlyFile>('R2.6');
const backgroundWork = rulesFor<FlyFile>('B7');
const shutdown = rulesFor<FlyFile>('B8');

/** Something wrong about the service that serves the pages, with the line of the key that says it. */
const service =
  <Fault extends object>(
    key: string,
    find: (service: Service, file: FlyFile, repo: Repo) => Fault | Doubt | boolean | undefined,
  ) =>
  (file: FlyFile, repo: Repo) => {
    const fault = file.service && find(file.service, file, repo);
    if (!fault || fault instanceof Doubt) return fault;
    const path = [file.service?.path, key].filter(Boolean).join('.');
    return { line: file.line(path), ...(fault as Fault) };
  };

/** Size and memory of each [[vm]]: `fly config validate` does not look at them (C6). */
const machines = (file: FlyFile) =>
  file.machines.map(({ data, path }) => {
    const key = data.memory === undefined && data.memory_mb !== undefined ? 'memory_mb' : 'memory';
    const size = sizeOf(data);
    const { least = 0, most = 0 } = memoryRange(size) ?? {};
    const line = file.line(`${path}.${most ? key : 'size'}`);
    const memory = memoryOf(data) ?? 0;
    const fits = memory % 256 === 0 && memory >= least && memory <= most;
    return { line, size, least, most, memory, fits, written: JSON.stringify(data[key]) };
  });

/** The app listens on another port than the one that Fly connects to. */
const wrongPort = service('internal_port', ({ internalPort = 8080 }, _, repo) => {
  const setting = endpointOf(repo).onMachine('http.port');
  if (setting instanceof Unknown)
    return new Doubt(`which port the app listens on is decided by ${setting.why}`);
  const port = Number(setting ?? internalPort);
  return Number.isInteger(port) && port !== internalPort && { port, internalPort };
});

const noLimits = service(
  '',
  ({ concurrency, path }) => !concurrency && { header: path.replace(/\.\d+/, '') },
);

const lowLimit = service('concurrency.soft_limit', ({ concurrency, hasLaunchLimits: launched }) => {
  const { soft_limit: soft = 20, hard_limit: hard = 1000 } = concurrency ?? {};
  const limit = Math.min(Number(soft), Number(hard));
  // Nobody chose what `fly launch` wrote
  const weight = launched ? 'should' : 'advice';
  return limit < 500 && concurrency && { weight, limit };
});

/** Workers that stop with the machine. */
const stoppedWorkers = service(
  'auto_stop_machines',
  ({ staysOn }, { workers }, { project: { background } }) => {
    const stops = !staysOn && workers.length === 0 && background.length > 0;
    return stops && { names: background.join(', ') };
  },
);

/** The machine, what it serves, and when it stops. */
export const flyMachineRules: readonly Rule<FlyFile>[] = [
  machineSize.advice({
    find: (file) => file.machines.length === 0,
    what: 'no [[vm]]: a first deploy gets 256 MB, and the Erlang VM may run out of memory',
    edit: [
      'npx plop fly-toml -- --memory 1gb, or at the end:',
      '[[vm]]',
      'size = "shared-cpu-1x"',
      'memory = "1gb"',
    ],
  }),
  machineSize.must({
    find: (file) => machines(file).filter(({ size, most }) => !most && !isGpu(size)),
    what: ({ size }) => `Fly has no machine ${size}`,
    edit: 'write: size = "shared-cpu-1x" (or 2x, 4x, 8x, performance-1x …)',
  }),
  machineSize.must({
    find: (file) => machines(file).filter(({ most, fits }) => most && !fits),
    what: ({ size, least, most, written }) =>
      `${size} has ${least} to ${most} MB in steps of 256, not ${written}; the deploy fails`,
    edit: 'write: memory = "1gb"',
  }),
  machineSize.should({
    find: (file) => machines(file).filter(({ memory, fits }) => fits && memory === 256),
    what: '256 MB are too little for the Erlang VM',
    edit: 'write: memory = "1gb"',
  }),

  httpsOnly.should({
    find: ({ service, line }) =>
      !service?.forceHttps && { line: service && line(`${service.path}.force_https`) },
    what: 'plain HTTP is not redirected to HTTPS',
    edit: 'under [http_service], or the [[services.ports]] of port 80, write: force_https = true',
  }),
  traffic.must({
    find: (file) => !file.service,
    what: 'no [http_service], so nothing is served',
    edit: '`npx plop fly-toml` writes it',
  }),
  traffic.must({
    find: wrongPort,
    what: ({ port, internalPort }) =>
      `the app listens on ${port}, and Fly connects to ${internalPort}`,
    edit: ({ port }) => `write: internal_port = ${port}`,
  }),
  traffic.should({
    find: noLimits,
    what: 'no concurrency: from 20 connections on, LiveView sockets are throttled',
    edit: ({ header }) => [
      'add:',
      `[${header}.concurrency]`,
      'type = "connections"',
      'soft_limit = 1000',
      'hard_limit = 1000',
    ],
  }),
  traffic.advice({
    find: service('concurrency.type', ({ concurrency }) => concurrency?.type === 'requests'),
    what: 'the limits count requests, and a LiveView page is one request that never ends',
    edit: 'write: type = "connections"',
  }),
  traffic.should({
    find: lowLimit,
    what: ({ limit }) => `from ${limit} connections on, LiveView sockets are throttled`,
    edit: 'write: soft_limit = 1000 and hard_limit = 1000',
  }),

  backgroundWork.should({
    find: service('auto_stop_machines', ({ autoStop }, { machine, table }) => {
      const memory = (machine && memoryOf(machine.data)) ?? 0;
      return autoStop === 'suspend' && (memory > 4096 || Boolean(table.swap_size_mb));
    }),
    what: 'a machine with swap or more than 4 GB cannot be suspended',
    edit: 'write: auto_stop_machines = "stop"',
  }),
  backgroundWork.must({
    find: service(
      'auto_start_machines',
      ({ staysOn, data }) => !staysOn && data.auto_start_machines === false,
    ),
    what: 'a machine that is stopped never starts again',
    edit: 'write: auto_start_machines = true',
  }),
  backgroundWork.should({
    find: stoppedWorkers,
    what: ({ names }) =>
      `after some minutes without requests the machine stops, and these workers with it: ${names}`,
    edit: 'write: auto_stop_machines = "off" and min_machines_running = 1',
  }),
  backgroundWork.should({
    find: (file, { project: { background } }) => {
      const twins = background.length > 0 && startsTwins(file);
      return twins && { ...twins, names: background.join(', ') };
    },
    what: ({ strategy, names }) =>
      `${strategy} starts new machines beside the old ones, so these workers run twice meanwhile: ${names}`,
    edit: 'write: strategy = "rolling"',
  }),

  // Fly's own default is nobody's choice
  shutdown.should({
    find: ({ table: { kill_signal: signal = 'SIGINT' }, line }) => {
      const weight = signal === 'SIGINT' ? 'should' : 'advice';
      return signal !== 'SIGTERM' && { line: line('kill_signal'), weight, signal };
    },
    what: ({ signal }) => `Fly sends ${signal}, and the VM stops at once`,
    edit: 'above the first [table], write: kill_signal = "SIGTERM"',
  }),
  shutdown.should({
    find: ({ killTimeout: timeout = 5, line }) => {
      const weight = timeout === 5 ? 'should' : 'advice';
      // Fly's own limit
      const seconds = Math.min(timeout, 300);
      return (timeout < 20 || timeout > 300) && { line: line('kill_timeout'), weight, seconds };
    },
    what: ({ seconds }) => `after ${seconds} s it is killed, with requests and jobs still running`,
    edit: 'above the first [table], write: kill_timeout = "30s"',
  }),
];
