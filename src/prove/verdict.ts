/** What one step of the proof found. `figure` is what was measured. */
export interface Verdict {
  verdict: 'met' | 'failed' | 'skipped';
  figure?: string;
  /** Why it is not met. */
  why?: string;
  /** The lines of the log that say why. */
  log?: string[];
}

export const met = (figure?: string): Verdict => ({ verdict: 'met', figure });
export const skipped = (why: string): Verdict => ({ verdict: 'skipped', why });
export const failed = (why: string, log?: string[]): Verdict => ({ verdict: 'failed', why, log });

export const ranOutOfMemory = skipped('it was killed for want of memory: see memory');

/** Rows of /proc/net/tcp and tcp6 that listen (proc(5)): address, in words of the machine's byte order, and port. */
const LISTENS = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A/gm;
const LOOPBACK = /^(0{16}FFFF0000)?0100007F$|^0{24}01000000$/;
/** epmd, which every Erlang node starts. */
const EPMD = 4369;
/** Above are the ports that the kernel chooses, such as that of the node's distribution (net.ipv4.ip_local_port_range). */
const CHOSEN_BY_KERNEL = 30_000;

/**
 * Why Fly does not reach the app: its proxy and its private network come from outside, over IPv6 too.
 * @param table /proc/net/tcp and tcp6
 * @returns '' when all is well
 */
export function unreachable(table: string, port: number): string {
  const listeners = [...table.matchAll(LISTENS)].map(([, address = '', digits = '']) => ({
    address,
    port: Number.parseInt(digits, 16),
  }));
  const addresses = listeners.filter((listener) => listener.port === port);
  const reachable = addresses.filter(({ address }) => !LOOPBACK.test(address));
  if (reachable.some(({ address }) => address.length > 8)) return '';
  if (reachable.length)
    return "it listens on IPv4 only, and Fly's private network is IPv6: bind to {0, 0, 0, 0, 0, 0, 0, 0}";
  if (addresses.length) return 'it listens on loopback only, where nobody reaches it from outside';
  const otherPorts = listeners.map((listener) => listener.port);
  const ports = new Set(
    otherPorts.filter((number) => number !== EPMD && number < CHOSEN_BY_KERNEL),
  );
  return ports.size
    ? `it listens on port ${[...ports].join(', ')}, and internal_port in fly.toml is ${port}`
    : `nothing listens on port ${port}; a release serves HTTP only with PHX_SERVER=true`;
}

const SPEAKS_OF_FAULT =
  /error|missing|raise|\*\*|could not|couldn't|refused|denied|not found|unable|killed|fatal|no such/i;
/** What a builder says about its own progress: buildah's steps and layers, BuildKit's states. */
const PROGRESS = /^(\[\d+\/\d+\] )?STEP |^--> |^#\d+ (DONE|CACHED|\[|sha256:|transferring|\.\.\.)/;
/** Elixir's logger, about ordinary requests and queries. */
const ORDINARY = /\[(info|debug)\] /;
/** What alone is other when Elixir's logger says the same again. */
const VARYING_PARTS = /^[\d:.]+ |request_id=\S+|#PID<[\d.]+>|"db_conn_\d+"/g;
const MAX_LINES = 12;
const MAX_WIDTH = 240;

/** Lines that say something, each once: a pool's connections and a worker that is restarted fail with the same words again. */
function distinctLines(log: string): string[] {
  const seen = new Set<string>();
  return log.split(/[\r\n]+/).flatMap((line) => {
    const words = line.replace(VARYING_PARTS, '');
    if (!line.trim() || PROGRESS.test(line) || seen.has(words)) return [];
    seen.add(words);
    return line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}…` : line.trimEnd();
  });
}

/** The last lines of a build: what stopped it, whatever the words. */
export const buildLines = (log: string): string[] => distinctLines(log).slice(-MAX_LINES);

/** Whether a log has a line that speaks of a fault. */
export const hasFault = (log: string): boolean =>
  distinctLines(log).some((line) => SPEAKS_OF_FAULT.test(line) && !ORDINARY.test(line));

/** The lines of a log that say why: from the first that speaks of a fault, else the last ones. */
export function faultLines(log: string, most = MAX_LINES): string[] {
  const lines = distinctLines(log);
  const first = lines.findIndex((line) => SPEAKS_OF_FAULT.test(line));
  if (first < 0) return lines.slice(-most);
  return lines
    .slice(first)
    .filter((line) => !ORDINARY.test(line))
    .slice(0, most);
}

/** What ended processes of the app that were started again, once for each: its own words, as Elixir's logger prints them. */
export const crashes = (log: string): string[] => [
  ...new Set(
    [...log.matchAll(/(GenServer [\w.]+) terminating\s+(\*\* .*)/g)].map(
      ([, name, reason]) => `${name} crashed and was started again: ${reason}.`,
    ),
  ),
];

/** Names that would hold a secret; a value beside one in an image's history or ENV is there for everybody. */
const SECRET_NAME = /SECRET|PASSWORD|TOKEN|API_KEY|PRIVATE_KEY|DATABASE_URL|COOKIE/i;
const ASSIGNMENT = /\b([A-Z][A-Z0-9_]{2,})=("[^"$][^"]*"|'[^']+'|[^\s"'$;&|]{4,})/g;

/** The beginnings of tokens that have one, whatever their variables are called. */
const TOKEN = /\b(gh[opsu]_|github_pat_|glpat-|sk_live_|xox[bp]-|AKIA)\w{12,}/g;

/**
 * Secrets that the image itself holds.
 * @param texts commands of the history and the ENV of the image
 * @param values what was given at run time and must not be in there
 */
export function leaks(texts: readonly string[], values: readonly string[]): string[] {
  const groups = (pattern: RegExp) =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, group = '']) => group));
  const names = groups(ASSIGNMENT).filter((name) => SECRET_NAME.test(name));
  const tokens = groups(TOKEN).map((start) => `a token (${start}…)`);
  const holds = (value: string) => value.length >= 8 && texts.some((text) => text.includes(value));
  return [
    ...new Set([...names, ...tokens, ...(values.some(holds) ? ['a value of --env-file'] : [])]),
  ];
}

export const secondsText = (milliseconds: number): string =>
  `${(milliseconds / 1000).toFixed(1)} s`;
