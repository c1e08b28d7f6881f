import { WebSocket } from 'ws';
import { type Answer, fromBrowser } from './request.ts';

/** What a page says about its LiveView, for the join. */
export interface LivePage {
  id: string;
  session: string;
  static: string;
  csrf: string | undefined;
}

/** The LiveView in a page: the attributes of its root element (phoenix_live_view 0.15 to 1.2). */
export function livePage(html: string): LivePage | undefined {
  const root = /<[a-z][^>]*\bdata-phx-session="[^"]+"[^>]*>/.exec(html)?.[0];
  if (!root) return undefined;
  const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(root)?.[1] ?? '';
  const csrf = /<meta\s[^>]*name="csrf-token"[^>]*>/.exec(html)?.[0];
  return {
    id: attribute('id'),
    session: attribute('data-phx-session'),
    static: attribute('data-phx-static'),
    csrf: csrf && /content="([^"]*)"/.exec(csrf)?.[1],
  };
}

/**
 * Opens the socket as a browser on `host` does, and joins the page's LiveView if there is one.
 * @returns '' when it connects (and joins), else what was answered
 */
export function joinSocket(
  port: number,
  {
    host,
    socketPath,
    page,
    path,
  }: { host: string; socketPath: string; page: Answer; path: string },
): Promise<string> {
  const live = livePage(page.body);
  const query = new URLSearchParams({
    vsn: '2.0.0',
    ...(live?.csrf ? { _csrf_token: live.csrf } : {}),
  });
  const cookies = (page.headers['set-cookie'] ?? [])
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
  const socket = new WebSocket(`ws://127.0.0.1:${port}${socketPath}/websocket?${query}`, {
    headers: { ...fromBrowser(host), Cookie: cookies },
    origin: `https://${host}`,
    handshakeTimeout: 5000,
  });
  return new Promise((resolve) => {
    const end = (outcome: string) => {
      clearTimeout(timer);
      socket.terminate();
      resolve(outcome);
    };
    const timer = setTimeout(() => end('no answer to the join within 10 s'), 10_000);
    socket.on('unexpected-response', (_, response) => end(String(response.statusCode)));
    socket.on('error', (error) => end(error.message));
    socket.on('open', () => {
      if (!live) return end('');
      const payload = {
        url: `https://${host}${path}`,
        params: { _csrf_token: live.csrf, _mounts: 0, _mount_attempts: 0 },
        session: live.session,
        static: live.static,
      };
      socket.send(JSON.stringify(['1', '1', `lv:${live.id}`, 'phx_join', payload]));
    });
    socket.on('message', (data) => {
      const [, ref, , event, reply] = JSON.parse(String(data)) as [
        string,
        string,
        string,
        string,
        { status?: string; response?: unknown },
      ];
      if (ref !== '1' || event !== 'phx_reply') return;
      end(reply.status === 'ok' ? '' : `the join was refused: ${JSON.stringify(reply.response)}`);
    });
  });
}
