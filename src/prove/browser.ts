import { on, once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

/** Milliseconds that a browser waits. */
export const TIMEOUT = 30_000;

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/**
 * One HTTP request to a port of this machine; redirects are not followed. (fetch sets no Host header.)
 * @throws Error with the system's words when nothing answers in `timeout` milliseconds
 */
export async function request(
  port: number,
  {
    timeout,
    ...options
  }: { method?: string; path: string; headers: Record<string, string>; timeout: number },
): Promise<Answer> {
  const signal = AbortSignal.timeout(timeout);
  try {
    const outgoing = http.request({ ...options, host: '127.0.0.1', port, signal, agent: false });
    const [incoming] = (await once(outgoing.end(), 'response')) as [http.IncomingMessage];
    const { statusCode: status = 0, headers } = incoming;
    return { status, headers, body: await text(incoming) };
  } catch (error) {
    throw signal.aborted ? new Error(`no answer within ${timeout / 1000} s`) : error;
  }
}

/** What Fly's proxy adds to a browser's request (fly.io/docs/networking/request-headers, 2026-11). */
export const browserHeaders = (host: string): Record<string, string> => ({
  Host: host,
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Port': '443',
  'X-Forwarded-For': '203.0.113.7',
  'Fly-Client-IP': '203.0.113.7',
  Accept: 'text/html',
  'User-Agent': 'phoenix-fly prove',
});

const attribute = (element: string, name: string): string =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(element)?.[1] ?? '';

/** What the client of the LiveView in a page sends to join it (phoenix_live_view 0.15 to 1.2); undefined where there is none. */
export function liveJoin(url: string, { headers, body }: Pick<Answer, 'headers' | 'body'>) {
  const [root] = /<[a-z][^>]*\sdata-phx-session="[^"]+"[^>]*>/.exec(body) ?? [];
  if (!root) return undefined;
  const [meta = ''] = /<meta\s[^>]*name="csrf-token"[^>]*>/.exec(body) ?? [];
  const _csrf_token = attribute(meta, 'content');
  const cookies = headers['set-cookie'] ?? [];
  const session = attribute(root, 'data-phx-session');
  const staticSession = attribute(root, 'data-phx-static');
  return {
    query: { _csrf_token },
    cookie: cookies.map((cookie) => cookie.split(';')[0]).join('; '),
    topic: `lv:${attribute(root, 'id')}`,
    payload: { url, params: { _csrf_token, _mounts: 0 }, session, static: staticSession },
  };
}

/**
 * Opens the socket as a browser on `host` does, and joins the LiveView if there is one.
 * @returns '' when it connects (and joins), else what was answered
 */
export async function joinSocket(
  port: number,
  path: string,
  host: string,
  join: ReturnType<typeof liveJoin>,
): Promise<string> {
  const query = new URLSearchParams({ vsn: '2.0.0', ...join?.query });
  const headers = { ...browserHeaders(host), Cookie: join?.cookie ?? '' };
  const url = `ws://127.0.0.1:${port}${path}/websocket?${query}`;
  const socket = new WebSocket(url, { headers, origin: `https://${host}` });
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    await once(socket, 'open', { signal });
    if (!join) return '';
    // [join_ref, ref, topic, event, payload], Phoenix's serializer of version 2
    socket.send(JSON.stringify(['1', '1', join.topic, 'phx_join', join.payload]));
    for await (const [data] of on(socket, 'message', { signal })) {
      const [, ref, , event, { status, response }] = JSON.parse(String(data));
      if (ref !== '1' || event !== 'phx_reply') continue;
      return status === 'ok' ? '' : `the join was refused: ${JSON.stringify(response)}`;
    }
    return 'it closed without an answer';
  } catch (error) {
    return signal.aborted ? `no answer within ${TIMEOUT / 1000} s` : (error as Error).message;
  } finally {
    socket.on('error', () => {});
    socket.terminate();
  }
}
