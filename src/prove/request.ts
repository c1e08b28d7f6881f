import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';

export type Answer = Awaited<ReturnType<typeof request>>;

interface Request {
  method?: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  timeout: number;
}

/**
 * One HTTP request to a port of this machine; redirects are not followed. (fetch sets no Host header.)
 * @throws Error with the system's words when nothing answers in `timeout` milliseconds
 */
export async function request(port: number, { timeout, ...asked }: Request) {
  const signal = AbortSignal.timeout(timeout);
  try {
    const outgoing = http.request({ ...asked, host: '127.0.0.1', port, signal, agent: false });
    const [incoming] = (await once(outgoing.end(), 'response')) as [http.IncomingMessage];
    const { statusCode: status = 0, headers } = incoming;
    return { status, headers, body: await text(incoming) };
  } catch (error) {
    throw signal.aborted ? new Error(`no answer within ${timeout / 1000} s`) : error;
  }
}

/** What Fly's proxy adds to a browser's request (fly.io/docs/networking/request-headers, 2026-11). */
export const fromBrowser = (host: string): Record<string, string> => ({
  Host: host,
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Port': '443',
  'X-Forwarded-For': '203.0.113.7',
  'Fly-Client-IP': '203.0.113.7',
  Accept: 'text/html',
  'User-Agent': 'phoenix-fly prove',
});
