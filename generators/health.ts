import { sameEndings } from '../src/edit/endings.ts';
import { modulesIn } from '../src/elixir/modules.ts';
import { parseElixir } from '../src/elixir/syntax.ts';
import type { GeneratedFile } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { elixirModule } from '../src/quote.ts';

export const health: GeneratedFile = {
  name: 'health',
  summary: 'answers /health without the database, unless the app has a health route',
  asks: [],
  outputs: ({ project }) => {
    const module = `${elixirModule(project.endpoint.module).replace(/\.[^.]+$/, '')}.Plugs.Health`;
    const path = `${project.endpoint.file.replace(/[^/]+$/, '')}plugs/health.ex`;
    const ours = project.tree.read(project.endpoint.file)?.includes(`plug ${module}`);
    if (project.endpoint.healthPath && !ours) return [];
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

/** In front of the first plug, so that health checks are neither logged nor routed. @throws Problem when there is no plug */
function addPlug(text: string, endpoint: string, plug: string): string {
  if (text.includes(`plug ${plug}`)) return text;
  const body = modulesIn(parseElixir(text).body).find((one) => one.name === endpoint)?.body ?? [];
  const first = body.find((expr) => expr.is === 'call' && expr.name === 'plug');
  if (!first)
    throw new Problem(
      `found no plug in ${endpoint} to put the health check before; add the line \`plug ${plug}\` to it yourself, then run again`,
    );
  const start = (at: number) => text.lastIndexOf('\n', at - 1) + 1;
  const indent = text.slice(start(first.at), first.at);
  let line = start(first.at);
  // Comments above the first plug are about that plug
  while (line > 0 && /^\s*#/.test(text.slice(start(line - 1), line))) line = start(line - 1);
  return `${text.slice(0, line)}${sameEndings(text, `${indent}plug ${plug}\n\n`)}${text.slice(line)}`;
}
