import type { Machine } from './machine.ts';
import { type Answer, fromBrowser, request } from './request.ts';
import type { Setting } from './setting.ts';
import { joinSocket, livePage } from './socket.ts';
import { failed, met, skipped, type Verdict } from './verdict.ts';

const REDIRECTS = 5;
const LOAD = 20;
/** Milliseconds. */
const TIMEOUT = 30_000;

const get = ({ deploy }: Setting, machine: Machine, path: string): Promise<Answer> =>
  request(machine.hostPort, { path, headers: fromBrowser(deploy.host), timeout: TIMEOUT });

/** What a browser sees in the end through Fly's proxy, and where. @throws Error for a redirect without end, or no answer */
async function browse(setting: Setting, machine: Machine, wanted: string) {
  const { host } = setting.deploy;
  const seen: string[] = [];
  for (let path = wanted; seen.length <= REDIRECTS; ) {
    const answer = await get(setting, machine, path);
    const { location } = answer.headers;
    const here = `https://${host}${path}`;
    const redirects = answer.status >= 300 && answer.status < 400 && location !== undefined;
    const target = redirects && URL.canParse(location, here) && new URL(location, here);
    if (!target || target.host !== host) return { path, answer };
    seen.push(`${answer.status} to ${location}`);
    path = target.pathname + target.search;
  }
  throw new Error(`it redirects without end: ${seen.slice(0, 3).join(', ')}`);
}

/** The page, then some more requests of it, so that memory is seen at work. */
export async function page(setting: Setting, machine: Machine): Promise<Verdict> {
  const seen = await browse(setting, machine, setting.wish.path).catch((error: Error) => error);
  if (seen instanceof Error) return failed(seen.message);
  const { path, answer } = seen;
  const answered = `${path} answered ${answer.status}`;
  if (answer.status >= 500) return failed(answered);
  if (answer.status >= 400) return skipped(`${answered}: name a page with --path`);
  const began = Date.now();
  await Promise.allSettled(Array.from({ length: LOAD }, () => get(setting, machine, path)));
  const each = Math.round((Date.now() - began) / LOAD);
  return met(`${answer.status} from ${path}, ${each} ms each`);
}

const LIVE_SOCKET = /\bsocket\(?\s*"([^"]+)",\s*Phoenix\.LiveView\.Socket/;
const LIVE_ROUTE = /^\s*live\(?\s*"(\/[^":*]*)"/gm;

/** The socket as a browser on the app's host opens it, with a LiveView joined: the page's, or one of the router's. */
export async function socket(setting: Setting, machine: Machine): Promise<Verdict> {
  const { project, deploy, wish } = setting;
  const { phoenix, endpoint, tree } = project;
  if (!phoenix.liveView) return skipped('the app has no LiveView');
  const routers = [...tree.paths].filter((path) => path.endsWith('router.ex'));
  const routes = routers.flatMap((path) => [...(tree.read(path) ?? '').matchAll(LIVE_ROUTE)]);
  const paths = [wish.path, ...routes.slice(0, 5).map(([, path = '/']) => path)];
  let live: ReturnType<typeof livePage>;
  for (const path of paths) {
    if (live) break;
    const seen = await browse(setting, machine, path).catch(() => undefined);
    live = seen && livePage(`https://${deploy.host}${seen.path}`, seen.answer);
  }
  const [, path = '/live'] = LIVE_SOCKET.exec(tree.read(endpoint.file) ?? '') ?? [];
  const refusal = await joinSocket(machine.hostPort, path, deploy.host, live);
  if (refusal === '403')
    return failed(
      `the origin https://${deploy.host} was refused (403): check_origin does not hold it`,
    );
  if (refusal) return failed(refusal);
  return met(
    live
      ? `joined the LiveView of ${new URL(live.url).pathname}`
      : 'opened; --path names a page with a LiveView',
  );
}
