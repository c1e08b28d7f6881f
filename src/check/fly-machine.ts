import { Unknown } from '../elixir/value.ts';
import type { Service } from '../fly/fly-config.ts';
import { isGpu, memoryOf, memoryRange, sizeOf } from '../fly/machine.ts';
import type { FlyFile, Repo } from './repo.ts';
import { FLY_TOML } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';
import { endpointOf } from './runtime-settings.ts';

const r22 = rulesFor(FLY_TOML, 'R2.2');
const r24 = rulesFor(FLY_TOML, 'R2.4');
const r26 = rulesFor(FLY_TOML, 'R2.6');
const b7 = rulesFor(FLY_TOML, 'B7');
const b8 = rulesFor(FLY_TOML, 'B8');

/** Something wrong about the service that serves the pages, with the line of the key that says it. */
const service =
  <Found extends object>(
    key: string,
    find: (service: Service, file: FlyFile, repo: Repo) => Found | Doubt | boolean | undefined,
  ) =>
  (file: FlyFile, repo: Repo) => {
    const found = file.service && find(file.service, file, repo);
    const path = [file.service?.path, key].filter(Boolean).join('.');
    if (!found || found instanceof Doubt) return found;
    return { line: file.line(path), ...(found as Found) };
  };

/** What is wrong with a [[vm]]: `fly config validate` does not look at this (C6). */
const misfits = ({ machines, line }: FlyFile) =>
  machines.map(({ data, path }) => {
    const size = sizeOf(data);
    const range = memoryRange(size);
    if (!range)
      return (
        !isGpu(size) && {
          line: line(`${path}.size`),
          what: `Fly has no machine ${size}`,
          edit: 'size = "shared-cpu-1x" (or 2x, 4x, 8x, performance-1x …)',
        }
      );
    const { least, most } = range;
    const memory = memoryOf(data) ?? 0;
    const key = data.memory === undefined && data.memory_mb !== undefined ? 'memory_mb' : 'memory';
    const found = { line: line(`${path}.${key}`), edit: 'memory = "1gb"' };
    const written = JSON.stringify(data[key]);
    if (memory % 256 || memory < least || memory > most)
      return {
        ...found,
        what: `${size} has ${least} to ${most} MB in steps of 256, not ${written}; the deploy fails`,
      };
    const what = '256 MB are too little for the Erlang VM';
    return memory === 256 && { ...found, weight: 'should', what };
  });

/**
 * R2.2: a machine that Fly sells, with memory enough. R2.4, R2.6: HTTPS, the port that the app listens on, room for LiveView's
 * sockets. B7: what stops starts again, and what runs in the background goes on, once. B8: the VM has time to end what it does.
 */
export const flyMachineRules: readonly Rule<FlyFile>[] = [
  r22.advice(
    ({ machines }) => machines.length === 0,
  )`no [[vm]]: a first deploy gets 256 MB, and the Erlang VM may run out of memory
    => npx plop fly-toml -- --memory 1gb, or at the end:
      [[vm]]
      size = "shared-cpu-1x"
      memory = "1gb"`,
  r22.must(misfits)`${'what'}
    => write: ${'edit'}`,

  r24.should(
    ({ service: found, line }) =>
      !found?.forceHttps && { line: found && line(`${found.path}.force_https`), kind: found?.kind },
  )`plain HTTP is not redirected to HTTPS
    => under ${({ kind }) => (kind === 'services' ? 'the [[services.ports]] of port 80' : '[http_service]')}, write: force_https = true`,
  r26.must((file) => !file.service)`no [http_service], so nothing is served
    => \`npx plop fly-toml\` writes it`,
  r26.must(
    service('internal_port', ({ internalPort: knocks = 8080 }, _, repo) => {
      const listens = endpointOf(repo).onMachine('http.port');
      if (listens instanceof Unknown)
        return new Doubt(`which port the app listens on is decided by ${listens.why}`);
      const port = Number(listens ?? knocks);
      return Number.isInteger(port) && port !== knocks && { port, knocks };
    }),
  )`the app listens on ${'port'}, and Fly connects to ${'knocks'}
    => write: internal_port = ${'port'}`,
  r26.should(
    service('', ({ concurrency, path }) => !concurrency && { header: path.replace(/\.\d+/, '') }),
  )`no concurrency: from 20 connections on, LiveView sockets are throttled
    => add:
      [${'header'}.concurrency]
      type = "connections"
      soft_limit = 1000
      hard_limit = 1000`,
  r26.advice(
    service('concurrency.type', ({ concurrency }) => concurrency?.type === 'requests'),
  )`the limits count requests, and a LiveView page is one request that never ends
    => write: type = "connections"`,
  r26.should(
    service('concurrency.soft_limit', ({ concurrency, launched }) => {
      const { soft_limit: soft = 20, hard_limit: hard = 1000 } = concurrency ?? {};
      const most = Math.min(Number(soft), Number(hard));
      // What `fly launch` wrote nobody chose
      const weight = launched ? 'should' : 'advice';
      return most < 500 && concurrency && { weight, most };
    }),
  )`from ${'most'} connections on, LiveView sockets are throttled
    => write: soft_limit = 1000 and hard_limit = 1000`,

  b7.should(
    service('auto_stop_machines', ({ autoStop }, { machine, table, line }) => {
      const { swap_size_mb: swap } = table;
      const isLarge = ((machine && memoryOf(machine.data)) ?? 0) > 4096;
      if (autoStop !== 'suspend' || !(swap || isLarge)) return undefined;
      return swap ? { line: line('swap_size_mb'), swap: true } : { swap: false };
    }),
  )`a machine with ${({ swap }) => (swap ? 'swap' : 'more than 4 GB')} cannot be suspended
    => ${({ swap }) => (swap ? 'remove it, or ' : '')}write: auto_stop_machines = "stop"`,
  b7.must(
    service(
      'auto_start_machines',
      (found) => !found.staysOn && found.data.auto_start_machines === false,
    ),
  )`a machine that is stopped never starts again
    => write: auto_start_machines = true`,
  b7.should(
    service('auto_stop_machines', (found, { workers }, { project: { background } }) => {
      const stops = !found.staysOn && workers.length === 0 && background.length > 0;
      return stops && { who: background.join(', ') };
    }),
  )`after some minutes without requests the machine stops, and these workers with it: ${'who'}
    => write: auto_stop_machines = "off" and min_machines_running = 1`,
  b7.should(({ deploy, line }, { project: { background } }) => {
    const strategy = String(deploy.strategy);
    const twice = /^(bluegreen|canary)$/.test(strategy) && background.length > 0;
    return twice && { line: line('deploy.strategy'), strategy, who: background.join(', ') };
  })`${'strategy'} starts new machines beside the old ones, so these workers run twice meanwhile: ${'who'}
    => write: strategy = "rolling"`,

  // Fly's own default is nobody's choice
  b8.should(({ table: { kill_signal: given = 'SIGINT' }, line }) => {
    const weight = given === 'SIGINT' ? 'should' : 'advice';
    return given !== 'SIGTERM' && { line: line('kill_signal'), weight, given };
  })`Fly sends ${'given'}, and the VM stops at once
    => above the first [table], write: kill_signal = "SIGTERM"`,
  b8.should(({ killTimeout: given = 5, line }) => {
    const weight = given === 5 ? 'should' : 'advice';
    return (given < 20 || given > 300) && { line: line('kill_timeout'), weight, given };
  })`after ${({ given }) => Math.min(given, 300)} s it is killed, with requests and jobs still running
    => above the first [table], write: kill_timeout = "30s"`,
];
