import { WebSocket } from 'ws';
import { type Answer, fromBrowser } from './request.ts';

/** The LiveView in a page: what its client sends to join it. */
interface LivePage {
  id: string;
  session: string;
  static: string;
  csrf: string | undefined;
}

const attribute = (element: string, name: string): string | undefined =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(element)?.[1];

/** Read off the root element (phoenix_live_view 0.15 to 1.2) and the CSRF tag of the layout. */
export function livePage(html: string): LivePage | undefined {
  const [root] = /<[a-z][^>]*\sdata-phx-session="[^"]+"[^>]*>/.exec(html) ?? [];
  if (!root) return undefined;
  const [meta = ''] = /<meta\s[^>]*name="csrf-token"[^>]*>/.exec(html) ?? [];
  return {
    id: attribute(root, 'id') ?? '',
    session: attribute(root, 'data-phx-session') ?? '',
    static: attribute(root, 'data-phx-static') ?? '',
    csrf: attribute(meta, 'content'),
  };
}

const PATIENCE = 30_000;
/** [join_ref, ref, topic, event, payload], Phoenix's serializer of version 2. */
type Message = [string, string, string, string, { status?: string; response?: unknown }];

/**
 * Opens the socket as a browser on `host` does, and joins the page's LiveView if there is one.
 * @returns '' when it connects (and joins), else what was answered: a status such as "403", or words
 */
export function joinSocket(
  port: number,
  socketPath: string,
  host: string,
  { path, answer }: { path: string; answer: Answer },
): Promise<string> {
  const live = livePage(answer.body);
  const token = live?.csrf ? { _csrf_token: live.csrf } : undefined;
  const query = new URLSearchParams({ vsn: '2.0.0', ...token });
  const cookies = (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]);
  const headers = { ...fromBrowser(host), Cookie: cookies.join('; ') };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${socketPath}/websocket?${query}`, {
    headers,
    origin: `https://${host}`,
    handshakeTimeout: PATIENCE,
  });
  const outcome = new Promise<string>((resolve) => {
    setTimeout(
      () => resolve(`no answer to the join within ${PATIENCE / 1000} s`),
      PATIENCE,
    ).unref();
    socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
    socket.on('error', (error) => resolve(error.message));
    socket.on('open', () => {
      if (!live) return resolve('');
      const payload = {
        url: `https://${host}${path}`,
        params: { ...token, _mounts: 0 },
        session: live.session,
        static: live.static,
      };
      socket.send(JSON.stringify(['1', '1', `lv:${live.id}`, 'phx_join', payload]));
    });
    socket.on('message', (data) => {
      const [, ref, , event, reply] = JSON.parse(String(data)) as Message;
      const answered =
        reply.status === 'ok' ? '' : `the join was refused: ${JSON.stringify(reply.response)}`;
      if (ref === '1' && event === 'phx_reply') resolve(answered);
    });
  });
  return outcome.finally(() => socket.terminate());
}
