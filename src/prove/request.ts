import http from 'node:http';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/**
 * One HTTP request to a port of this machine; redirects are not followed. (fetch sets no Host header.)
 * @throws Error with the system's words when nothing answers in `timeout` milliseconds
 */
export function request(
  port: number,
  {
    method = 'GET',
    path,
    headers,
    timeout = 5000,
  }: { method?: string; path: string; headers: Record<string, string>; timeout?: number },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { host: '127.0.0.1', port, method, path, headers, timeout, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`no answer within ${timeout / 1000} s`)),
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
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
