import { evaluate } from '../elixir/evaluate.ts';
import { callsIn, modulesIn } from '../elixir/modules.ts';
import { emptyScope } from '../elixir/scope.ts';
import { parseElixir } from '../elixir/syntax.ts';
import type { Project } from '../facts/detect.ts';
import type { Machine, Proof } from './proof.ts';
import { type Answer, fromBrowser, request } from './request.ts';
import { joinSocket, livePage } from './socket.ts';
import { failed, type Line, met, skipped, telling } from './verdict.ts';

const REDIRECTS = 5;
const LOAD = 20;

/** The page as a browser gets it through Fly's proxy, redirects followed; then some more requests, so that memory is seen at work. */
export async function page(
  machine: Machine,
  { deploy, path }: Proof,
): Promise<{ line: Line; answer?: Answer }> {
  const get = (where: string) =>
    request(machine.hostPort, { path: where, headers: fromBrowser(deploy.host), timeout: 10_000 });
  let where = path;
  const seen: string[] = [];
  try {
    for (let step = 0; step <= REDIRECTS; step++) {
      const answer = await get(where);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status >= 400 || !location)
        return { line: await judge(machine, where, answer), answer };
      const target = new URL(location, `https://${deploy.host}${where}`);
      if (target.host !== deploy.host)
        return { line: met('page', `${answer.status} to ${target.host}`), answer };
      seen.push(`${answer.status} to ${location}`);
      if (target.pathname + target.search === where) break;
      where = target.pathname + target.search;
    }
    return { line: failed('page', `it redirects without end: ${seen.slice(0, 3).join(', ')}`) };
  } catch (error) {
    return { line: failed('page', (error as Error).message, telling(await machine.log())) };
  }

  async function judge(from: Machine, shown: string, answer: Answer): Promise<Line> {
    if (answer.status >= 500)
      return failed('page', `${shown} answered ${answer.status}`, telling(await from.log()));
    if (answer.status >= 400)
      return skipped('page', `${shown} answered ${answer.status}: name a page with --path`);
    const began = Date.now();
    await Promise.allSettled(Array.from({ length: LOAD }, () => get(shown)));
    return met(
      'page',
      `${answer.status} from ${shown}, ${Math.round((Date.now() - began) / LOAD)} ms a request`,
    );
  }
}

/** Where the endpoint has LiveView's socket; "/live" by default. */
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
  { deploy, project, path }: Proof,
  answer: Answer | undefined,
): Promise<Line> {
  const socketAt = socketPath(project);
  if (!socketAt) return skipped('socket', 'the app has no LiveView');
  if (!answer) return skipped('socket', 'no page to start from');
  const outcome = await joinSocket(machine.hostPort, {
    host: deploy.host,
    socketPath: socketAt,
    page: answer,
    path,
  });
  if (outcome === '403')
    return failed(
      'socket',
      `the origin https://${deploy.host} was refused (403): check_origin does not hold it`,
      telling(await machine.log()),
    );
  if (outcome) return failed('socket', outcome, telling(await machine.log()));
  return met(
    'socket',
    livePage(answer.body)
      ? `joined the LiveView of ${path}`
      : `opened; ${path} has no LiveView to join (--path names a page)`,
  );
}
