import { sameEndings } from '../src/edit/endings.ts';
import type { Call } from '../src/elixir/expr.ts';
import { callsIn, modulesIn } from '../src/elixir/modules.ts';
import { fullName, moduleScope } from '../src/elixir/scope.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import type { Project } from '../src/facts/detect.ts';
import { staticHealthPath } from '../src/fly/fly-config.ts';
import type { Descriptor } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { elixirModule } from '../src/quote.ts';

export const health: Descriptor = {
  outputs: ({ project }) => {
    const { module, path } = plugOf(project);
    const { endpoint, tree } = project;
    const plugs = plugsIn(tree.read(endpoint.file) ?? '', endpoint.module);
    const isOurs = plugs.some(({ name }) => name === module);
    const isAnswered = (endpoint.healthPath ?? staticHealthPath(project.tree)) !== undefined;
    if (isAnswered && !isOurs) return [];
    return [
      {
        path,
        template: 'health.ex',
        view: { module },
        merge: (before, rendered) => before ?? rendered,
      },
      { path: endpoint.file, merge: (before) => addPlug(before ?? '', endpoint.module, module) },
    ];
  },
};

/** The plug's module and file; of another name where the app has a Plugs.Health that does something else. */
function plugOf({ endpoint, tree }: Project): { module: string; path: string } {
  const namespace = elixirModule(endpoint.module).replace(/\.[^.]+$/, '');
  const folder = `${endpoint.file.replace(/[^/]+$/, '')}plugs`;
  const text = tree.read(`${folder}/health.ex`);
  return text === undefined || text.includes('request_path: "/health"')
    ? { module: `${namespace}.Plugs.Health`, path: `${folder}/health.ex` }
    : { module: `${namespace}.Plugs.FlyHealth`, path: `${folder}/fly_health.ex` };
}

/** The plugs of the endpoint by their full names, as its code and not its comments has them. */
function plugsIn(text: string, endpoint: string): { name: string; call: Call }[] {
  const body = modulesIn(parseElixir(text).body).find(({ name }) => name === endpoint)?.body ?? [];
  const scope = moduleScope(body, endpoint);
  return callsIn(body, 'plug').map((call) => {
    const [plug] = call.args;
    return { name: plug?.is === 'module' ? fullName(plug.name, scope) : '', call };
  });
}

/** In front of the first plug, so that health checks are neither logged nor routed. @throws Problem when there is no plug */
function addPlug(text: string, endpoint: string, plug: string): string {
  const plugs = plugsIn(text, endpoint);
  if (plugs.some(({ name }) => name === plug)) return text;
  const [first] = plugs;
  if (!first)
    throw new Problem(
      `found no plug in ${endpoint} to put the health check before; add the line \`plug ${plug}\` to it yourself, then run again`,
    );
  const lineStart = (offset: number) => text.lastIndexOf('\n', offset - 1) + 1;
  let start = lineStart(first.call.offset);
  const indent = text.slice(start, first.call.offset);
  // Comments above the first plug are about that plug
  while (/^\s*#/.test(text.slice(lineStart(start - 1), start))) start = lineStart(start - 1);
  const line = sameEndings(text, `${indent}plug ${plug}\n\n`);
  return text.slice(0, start) + line + text.slice(start);
}
