import type { Machine } from './machine.ts';
import { type Answer, fromBrowser, request } from './request.ts';
import type { Setting } from './setting.ts';
import { joinSocket, livePage } from './socket.ts';
import { failed, met, skipped, telling, type Verdict } from './verdict.ts';

const REDIRECTS = 5;
const LOAD = 20;

/** What a browser sees in the end, and where. */
export interface Page {
  path: string;
  answer: Answer;
}

const get = (machine: Machine, { deploy }: Setting, path: string): Promise<Answer> =>
  request(machine.hostPort, { path, headers: fromBrowser(deploy.host), timeout: 30_000 });

/** The page as a browser gets it through Fly's proxy; redirects are followed. @throws Error for a loop or no answer */
async function browse(machine: Machine, setting: Setting, wanted: string): Promise<Page> {
  const seen: string[] = [];
  for (let path = wanted; seen.length <= REDIRECTS; ) {
    const answer = await get(machine, setting, path);
    const { location } = answer.headers;
    const here = `https://${setting.deploy.host}${path}`;
    const target = location && URL.canParse(location, here) ? new URL(location, here) : undefined;
    if (!target || answer.status < 300 || answer.status >= 400) return { path, answer };
    if (target.host !== setting.deploy.host) return { path, answer };
    seen.push(`${answer.status} to ${location}`);
    path = target.pathname + target.search;
  }
  throw new Error(`it redirects without end: ${seen.slice(0, 3).join(', ')}`);
}

/** The page, then some more requests of it, so that memory is seen at work. */
export async function page(machine: Machine, setting: Setting): Promise<Verdict & { seen?: Page }> {
  let seen: Page;
  try {
    seen = await browse(machine, setting, setting.wish.path);
  } catch (error) {
    return failed((error as Error).message, telling(await machine.log()));
  }
  const { path, answer } = seen;
  if (answer.status >= 500)
    return failed(`${path} answered ${answer.status}`, telling(await machine.log()));
  if (answer.status >= 400)
    return skipped(`${path} answered ${answer.status}: name a page with --path`);
  const began = Date.now();
  await Promise.allSettled(Array.from({ length: LOAD }, () => get(machine, setting, path)));
  return {
    ...met(`${answer.status} from ${path}, ${Math.round((Date.now() - began) / LOAD)} ms each`),
    seen,
  };
}

const LIVE_SOCKET = /\bsocket\(?\s*"([^"]+)",\s*Phoenix\.LiveView\.Socket/;

const LIVE_ROUTE = /^\s*live\(?\s*"(\/[^":*]*)"/gm;

/** The page, or one of the router's where that has no LiveView. */
async function livePageOf(machine: Machine, setting: Setting, seen: Page): Promise<Page> {
  if (livePage(seen.answer.body)) return seen;
  const { tree } = setting.project;
  const routers = [...tree.paths].filter((path) => path.endsWith('router.ex'));
  const routes = routers.flatMap((path) => [...(tree.read(path) ?? '').matchAll(LIVE_ROUTE)]);
  for (const [, path = '/'] of routes.slice(0, 5)) {
    const found = await browse(machine, setting, path).catch(() => undefined);
    if (found && livePage(found.answer.body)) return found;
  }
  return seen;
}

/** The socket as a browser on the app's host opens it, and the page's LiveView joined. */
export async function socket(machine: Machine, setting: Setting, seen?: Page): Promise<Verdict> {
  const { host } = setting.deploy;
  const { phoenix, endpoint, tree } = setting.project;
  if (!phoenix.liveView) return skipped('the app has no LiveView');
  if (!seen) return skipped('there is no page to start from');
  const [, path = '/live'] = LIVE_SOCKET.exec(tree.read(endpoint.file) ?? '') ?? [];
  const target = await livePageOf(machine, setting, seen);
  const outcome = await joinSocket(machine.hostPort, path, host, target);
  const refused = `the origin https://${host} was refused (403): check_origin does not hold it`;
  if (outcome) return failed(outcome === '403' ? refused : outcome, telling(await machine.log()));
  const live = livePage(target.answer.body);
  return met(
    live ? `joined the LiveView of ${target.path}` : 'opened; --path names a page with a LiveView',
  );
}
