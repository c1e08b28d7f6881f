import { WebSocket } from 'ws';
import { type Answer, fromBrowser } from './request.ts';

const attribute = (element: string, name: string): string =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(element)?.[1] ?? '';

/** What the client of the LiveView in a page sends to join it (phoenix_live_view 0.15 to 1.2); undefined where there is none. */
export function livePage(url: string, { headers, body }: Pick<Answer, 'headers' | 'body'>) {
  const [root] = /<[a-z][^>]*\sdata-phx-session="[^"]+"[^>]*>/.exec(body) ?? [];
  if (!root) return undefined;
  const [meta = ''] = /<meta\s[^>]*name="csrf-token"[^>]*>/.exec(body) ?? [];
  const params = { _csrf_token: attribute(meta, 'content') };
  return {
    url,
    topic: `lv:${attribute(root, 'id')}`,
    params,
    cookie: (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; '),
    payload: {
      url,
      params: { ...params, _mounts: 0 },
      session: attribute(root, 'data-phx-session'),
      static: attribute(root, 'data-phx-static'),
    },
  };
}

const PATIENCE = 30_000;
/** [join_ref, ref, topic, event, payload], Phoenix's serializer of version 2. */
type Message = [string, string, string, string, { status?: string; response?: unknown }];

/**
 * Opens the socket as a browser on `host` does, and joins the LiveView if there is one.
 * @returns '' when it connects (and joins), else what was answered: a status such as "403", or words
 */
export async function joinSocket(
  port: number,
  path: string,
  host: string,
  live: ReturnType<typeof livePage>,
): Promise<string> {
  const query = new URLSearchParams({ vsn: '2.0.0', ...live?.params });
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}/websocket?${query}`, {
    headers: { ...fromBrowser(host), Cookie: live?.cookie ?? '' },
    origin: `https://${host}`,
    handshakeTimeout: PATIENCE,
  });
  const late = setTimeout(() => socket.emit('error', new Error('no answer to the join')), PATIENCE);
  try {
    return await new Promise<string>((resolve) => {
      socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
      socket.on('error', (error) => resolve(error.message));
      socket.on('open', () => {
        if (!live) return resolve('');
        socket.send(JSON.stringify(['1', '1', live.topic, 'phx_join', live.payload]));
      });
      socket.on('message', (data) => {
        const [, ref, , event, { status, response }] = JSON.parse(String(data)) as Message;
        if (ref !== '1' || event !== 'phx_reply') return;
        resolve(status === 'ok' ? '' : `the join was refused: ${JSON.stringify(response)}`);
      });
    });
  } finally {
    clearTimeout(late);
    socket.terminate();
  }
}
