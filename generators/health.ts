import { sameEndings } from '../src/edit/endings.ts';
import type { Call } from '../src/elixir/expr.ts';
import { callsIn, modulesIn } from '../src/elixir/modules.ts';
import { fullName, moduleScope } from '../src/elixir/scope.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import type { Project } from '../src/facts/detect.ts';
import { checkedFile } from '../src/fly/checked-file.ts';
import type { Descriptor } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { elixirModule } from '../src/quote.ts';

export const health: Descriptor = {
  outputs: ({ project }) => {
    const { module, path } = plugOf(project);
    const endpoint = project.tree.read(project.endpoint.file) ?? '';
    const isOurs = plugsIn(endpoint, project.endpoint.module).some(({ name }) => name === module);
    const answered = project.endpoint.healthPath ?? checkedFile(project);
    if (answered && !isOurs) return [];
    return [
      {
        path,
        template: 'health.ex',
        view: { module },
        merge: (before, rendered) => before ?? rendered,
      },
      {
        path: project.endpoint.file,
        merge: (before) => addPlug(before ?? '', project.endpoint.module, module),
      },
    ];
  },
};

/** The plug's module and file; another name where the app has a module of this one that does something else. */
function plugOf(project: Project): { module: string; path: string } {
  const base = elixirModule(project.endpoint.module).replace(/\.[^.]+$/, '');
  const folder = `${project.endpoint.file.replace(/[^/]+$/, '')}plugs`;
  const there = project.tree.read(`${folder}/health.ex`);
  return there === undefined || there.includes('request_path: "/health"')
    ? { module: `${base}.Plugs.Health`, path: `${folder}/health.ex` }
    : { module: `${base}.Plugs.FlyHealth`, path: `${folder}/fly_health.ex` };
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
  const start = (position: number) => text.lastIndexOf('\n', position - 1) + 1;
  const { offset } = first.call;
  const indent = text.slice(start(offset), offset);
  let line = start(offset);
  // Comments above the first plug are about that plug
  while (line > 0 && /^\s*#/.test(text.slice(start(line - 1), line))) line = start(line - 1);
  return `${text.slice(0, line)}${sameEndings(text, `${indent}plug ${plug}\n\n`)}${text.slice(line)}`;
}
