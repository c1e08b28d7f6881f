import type { Project } from '../facts/detect.ts';
import { type Answer, browserHeaders, joinSocket, liveJoin, request, TIMEOUT } from './browser.ts';
import type { Machine } from './container.ts';
import type { Setting } from './setting.ts';
import { failed, met, skipped, type Verdict } from './verdict.ts';

const MAX_REDIRECTS = 5;
const REQUESTS = 20;

const get = ({ deploy }: Setting, machine: Machine, path: string): Promise<Answer> =>
  request(machine.hostPort, { path, headers: browserHeaders(deploy.host), timeout: TIMEOUT });

/** What a browser sees in the end through Fly's proxy, and where. @throws Error for a redirect without end, or no answer */
async function visit(setting: Setting, machine: Machine, wanted: string) {
  const { host } = setting.deploy;
  const redirects: string[] = [];
  for (let path = wanted; redirects.length <= MAX_REDIRECTS; ) {
    const answer = await get(setting, machine, path);
    const { location = '' } = answer.headers;
    const here = `https://${host}${path}`;
    const target = URL.canParse(location, here) ? new URL(location, here) : undefined;
    const isRedirect = /^3/.test(String(answer.status)) && location !== '';
    if (!isRedirect || target?.host !== host) return { path, answer };
    redirects.push(`${answer.status} to ${location}`);
    path = target.pathname + target.search;
  }
  throw new Error(`it redirects without end: ${redirects.slice(0, 3).join(', ')}`);
}

/** Scripts and stylesheets of the app's own that a page asks for. */
const assetPaths = (html: string): string[] => {
  const found = html.matchAll(
    /<(?:script|link)\s[^>]*(?:src|href)="(\/[^/"][^"]*\.(?:js|css)\b[^"]*)"/g,
  );
  return [...found].map(([, path = '']) => path.replaceAll('&amp;', '&'));
};

/** The page with its assets, then some more requests of it, so that memory is seen at work. */
export async function page(setting: Setting, machine: Machine): Promise<Verdict> {
  const { path, answer } = await visit(setting, machine, setting.path);
  const answered = `${path} answered ${answer.status}`;
  if (answer.status >= 500) return failed(answered);
  if (answer.status >= 400) return skipped(`${answered}: name a page with --path`);
  for (const asset of assetPaths(answer.body)) {
    const { status } = await get(setting, machine, asset);
    if (status >= 400) return failed(`${path} asks for ${asset}, which answered ${status}`);
  }
  const began = Date.now();
  await Promise.allSettled(Array.from({ length: REQUESTS }, () => get(setting, machine, path)));
  const average = Math.round((Date.now() - began) / REQUESTS);
  return met(`${answer.status} from ${path}, ${average} ms each`);
}

const LIVE_CLIENT = /new LiveSocket\(\s*["']([^"']+)["']/;
const LIVE_SOCKET = /\bsocket\(?\s*"([^"]+)",\s*Phoenix\.LiveView\.Socket/;
const LIVE_ROUTE = /^\s*live\(?\s*"(\/[^":*]*)"/gm;

const textsOf = ({ tree }: Project, ending: RegExp): string[] =>
  [...tree.paths].filter((path) => ending.test(path)).map((path) => tree.read(path) ?? '');

/** The LiveView of the page, or the first that the router has and a visitor may see. */
async function findLive(setting: Setting, machine: Machine) {
  const routers = textsOf(setting.project, /router\.ex$/);
  const routes = routers.flatMap((text) => [...text.matchAll(LIVE_ROUTE)]);
  for (const path of [setting.path, ...routes.slice(0, 5).map(([, route = '/']) => route)]) {
    const seen = await visit(setting, machine, path).catch(() => undefined);
    const live = seen && liveJoin(`https://${setting.deploy.host}${seen.path}`, seen.answer);
    if (live) return { live, name: `the LiveView of ${seen.path}` };
  }
  return undefined;
}

/** The socket as a browser on the app's host opens it, with a LiveView joined where there is one to see. */
export async function socket(setting: Setting, machine: Machine): Promise<Verdict> {
  const { deploy, project } = setting;
  const { phoenix, endpoint, tree } = project;
  if (!phoenix.liveView) return skipped('the app has no LiveView');
  const view = await findLive(setting, machine);
  const served = LIVE_SOCKET.exec(tree.read(endpoint.file) ?? '')?.[1];
  const scripts = textsOf(project, /\bassets\/js\/[^/]+\.[jt]s$/);
  const paths = scripts.flatMap((text) => LIVE_CLIENT.exec(text)?.[1] ?? []);
  const path = paths.find((opened) => opened === served) ?? paths[0] ?? served ?? '/live';
  const refusal = await joinSocket(machine.hostPort, path, deploy.host, view?.live);
  const socketText = served ? `has it at ${served}` : 'has no socket of LiveView';
  const hint = path === served ? '' : `, and ${endpoint.file} ${socketText}`;
  if (/: 403$/.test(refusal))
    return failed(
      `the origin https://${deploy.host} was refused (403): check_origin does not hold it`,
    );
  if (/: 404$/.test(refusal)) return failed(`${path} answered 404${hint}`);
  if (/: 30\d$/.test(refusal)) {
    const page = await visit(setting, machine, setting.path).catch((error: Error) => error);
    if (page instanceof Error) return skipped('the socket is redirected as well: see page');
  }
  if (refusal) return failed(`${view?.name ?? path}: ${refusal}`);
  return met(view ? `joined ${view.name}` : 'opened; --path names a page with a LiveView');
}
