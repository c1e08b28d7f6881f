/** What a deploy needs, in the order in which a deploy would meet it. */
export const LINES = {
  build: 'the image builds',
  migrate: 'migrations run',
  boot: 'the release boots and listens',
  health: 'the health check passes',
  page: 'the page answers',
  socket: 'LiveView connects',
  database: 'the database answers, also after its restart',
  memory: 'memory stays under the limit',
  background: 'workers stay out where they must',
  tls: 'an untrusted certificate is refused',
  user: 'runs without rights',
  history: 'no secret in the image',
  stop: 'stops in order',
} as const;

export type LineName = keyof typeof LINES;

/** The verdict on one line. `figure` is what was measured; `why` says why it is not met. */
export interface Line {
  name: LineName;
  verdict: 'met' | 'failed' | 'skipped';
  figure?: string;
  why?: string;
  /** The lines of the log that say why. */
  log?: string[];
  /** What to do, as `check` says it. */
  remedy?: string[];
}

export const met = (name: LineName, figure?: string): Line => ({ name, verdict: 'met', figure });
export const skipped = (name: LineName, why: string): Line => ({ name, verdict: 'skipped', why });
export const failed = (name: LineName, why: string, log: string[] = [], figure?: string): Line => ({
  name,
  verdict: 'failed',
  why,
  log,
  figure,
});

/** A socket that listens, read off /proc/net/tcp and tcp6. */
export interface Listener {
  family: 4 | 6;
  address: 'any' | 'loopback' | 'other';
  port: number;
}

const LISTEN = '0A';

/** @param table /proc/net/tcp or tcp6 (proc(5)): addresses in hexadecimal, words in the machine's byte order */
export function listeners(table: string): Listener[] {
  return table.split('\n').flatMap((row) => {
    const [, local = '', , state] = row.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== LISTEN || !/^[0-9A-F]+$/i.test(address)) return [];
    const family = address.length === 8 ? 4 : 6;
    return [{ family, address: addressKind(address), port: Number.parseInt(port, 16) }];
  });
}

function addressKind(address: string): Listener['address'] {
  if (/^0+$/.test(address)) return 'any';
  const loopback = address === '0100007F' || /^0{24}01000000$/.test(address);
  return loopback ? 'loopback' : 'other';
}

const NOT_PAGES = new Set([4369]);

/**
 * Whether Fly reaches what listens: its proxy and private network connect from outside, over IPv6 too.
 * @returns undefined while nothing listens for pages, '' when all is well, else what is wrong
 */
export function listening(found: readonly Listener[], port: number): string | undefined {
  const pages = found.filter(
    (listener) => !NOT_PAGES.has(listener.port) && listener.address !== 'loopback',
  );
  const here = found.filter((listener) => listener.port === port);
  if (here.some(({ family, address }) => family === 6 && address !== 'loopback')) return '';
  if (here.some(({ address }) => address !== 'loopback'))
    return `it listens on IPv4 only; Fly's private network is IPv6: bind to {0, 0, 0, 0, 0, 0, 0, 0}`;
  if (here.length) return 'it listens on loopback only, where nobody reaches it from outside';
  // The distribution port of the node is a listener too, on a port that the kernel chose
  const fixed = pages.filter((listener) => listener.port < 30_000);
  if (fixed.length === 0) return undefined;
  const ports = [...new Set(fixed.map((listener) => listener.port))].join(', ');
  return `it listens on port ${ports}, and internal_port in fly.toml is ${port}`;
}

const TELLING =
  /error|missing|raise|\*\*|could not|couldn't|refused|denied|not found|unable|killed|fatal|no such/i;

const MOST = 12;
const WIDEST = 160;

/** Lines as the screen has room for them. */
const rows = (log: string): string[] =>
  log
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => (line.length > WIDEST ? `${line.slice(0, WIDEST)}…` : line.trimEnd()));

/** The last lines of a log. */
export const lastLines = (log: string): string[] => rows(log).slice(-MOST);

/** The lines of a log that say why: from the first that speaks of a fault, else the last ones. */
export function telling(log: string): string[] {
  const lines = rows(log).slice(-200);
  const first = lines.findIndex((line) => TELLING.test(line));
  return first < 0 ? lines.slice(-MOST) : lines.slice(first, first + MOST);
}

/** Exit code of a run: 0 when nothing failed. */
export const exitCode = (lines: readonly Line[]): 0 | 1 =>
  lines.some(({ verdict }) => verdict === 'failed') ? 1 : 0;

/** Names that would hold a secret; a value beside one in an image's history or ENV is there for everybody. */
const SECRET_NAME = /(SECRET|PASSWORD|TOKEN|API_KEY|PRIVATE_KEY|DATABASE_URL|COOKIE)/i;

/**
 * Secrets that the image itself holds.
 * @param texts commands of the history and the ENV of the image
 * @param values what was given at run time and must not be in there
 */
export function leaks(texts: readonly string[], values: readonly string[]): string[] {
  const named = texts.flatMap((line) =>
    [...line.matchAll(/\b([A-Z][A-Z0-9_]{2,})=("[^"]+"|'[^']+'|[^\s"'$;&|]{4,})/g)].flatMap(
      ([, name = '']) => (SECRET_NAME.test(name) ? [name] : []),
    ),
  );
  const held = values.some(
    (value) => value.length >= 8 && texts.some((line) => line.includes(value)),
  );
  return [...new Set([...named, ...(held ? ['a value of --env-file'] : [])])];
}

/** Bytes as a person reads them: "112 MB". */
export const megabytesOf = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

const MEMORY: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes in the first figure of `docker stats`: "160.2MiB / 1GiB". */
export function usedMemory(stats: string): number | undefined {
  const [, amount, unit = 'B'] = /([\d.]+)\s*([kKMG]?i?B)/.exec(stats) ?? [];
  return amount === undefined ? undefined : Number(amount) * (MEMORY[unit] ?? 1);
}
