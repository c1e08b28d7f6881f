import { evaluate } from '../elixir/evaluate.ts';
import { callsIn, modulesIn } from '../elixir/modules.ts';
import { emptyScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import type { Project } from '../facts/detect.ts';
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
  request(machine.hostPort, { path, headers: fromBrowser(deploy.host), timeout: 10_000 });

/** The page as a browser gets it through Fly's proxy; redirects are followed. @throws Error for a loop or no answer */
async function browse(machine: Machine, setting: Setting): Promise<Page> {
  const seen: string[] = [];
  for (let path = setting.wish.path; seen.length <= REDIRECTS; ) {
    const answer = await get(machine, setting, path);
    const { location } = answer.headers;
    const target = location && new URL(location, `https://${setting.deploy.host}${path}`);
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
    seen = await browse(machine, setting);
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

/** Where the endpoint has LiveView's socket; undefined without LiveView. */
export function socketPath({ tree, endpoint, phoenix }: Project): string | undefined {
  if (!phoenix.liveView) return undefined;
  const { body } = parseElixir(tree.read(endpoint.file) ?? '');
  const sockets = modulesIn(body).flatMap((module) => callsIn(module.body, 'socket'));
  const live = sockets.find(
    ({ args: [, module] }) => module?.is === 'module' && module.name.startsWith('Phoenix.LiveView'),
  );
  const path = live && evaluate(live.args[0], emptyScope());
  return typeof path === 'string' ? path : '/live';
}

/** The socket as a browser on the app's host opens it, and the page's LiveView joined. */
export async function socket(
  machine: Machine,
  setting: Setting,
  seen: Page | undefined,
): Promise<Verdict> {
  const { host } = setting.deploy;
  const path = socketPath(setting.project);
  if (!path) return skipped('the app has no LiveView');
  if (!seen) return skipped('there is no page to start from');
  const outcome = await joinSocket(machine.hostPort, path, host, seen);
  const refused = `the origin https://${host} was refused (403): check_origin does not hold it`;
  if (outcome) return failed(outcome === '403' ? refused : outcome, telling(await machine.log()));
  const live = livePage(seen.answer.body);
  const opened = `opened; ${seen.path} has no LiveView to join (--path names a page)`;
  return met(live ? `joined the LiveView of ${seen.path}` : opened);
}
