import { evaluate } from '../elixir/evaluate.ts';
import { isDefinition, walk } from '../elixir/expr.ts';
import { inner } from '../elixir/scope.ts';
import { lineAt } from '../elixir/syntax.ts';
import type { SourceModule, Sources } from './sources.ts';

/** A program that the app's code starts, by its literal name. */
export type StartedProgram = ReturnType<typeof programsOf>[number];

/** Functions whose first argument is a program, or begins with one. */
const STARTERS =
  /(System\.(cmd|shell|find_executable)|MuonTrap\.(cmd|Daemon\.start_link)|Port\.open|(Exile|ExCmd)\.stream!?|Rambo\.run|:(os\.cmd|exec\.run))\b/;

/** Programs that modules start while the app runs; Mix tasks and what only tests see are left out. */
export function startedPrograms(sources: Sources): StartedProgram[] {
  const files = sources.matching(STARTERS).filter((file) => !/(^|\/)mix\//.test(file));
  const found = files.flatMap((file) => sources.modules(file)).flatMap(programsOf);
  // The first of each
  return [
    ...new Map(found.reverse().map((one) => [`${one.name} ${one.compileTime}`, one])).values(),
  ].reverse();
}

function programsOf({ body, scope, file, text }: SourceModule) {
  const found: { name: string; file: string; line: number; compileTime: boolean }[] = [];
  walk(body, (expr, around) => {
    if (expr.is !== 'call' || (expr.on?.is !== 'module' && expr.on?.is !== 'atom')) return;
    const called = `${expr.on.is === 'atom' ? ':' : ''}${expr.on.name}.${expr.name}`;
    if (!STARTERS.test(called)) return;
    const [first] = expr.args;
    let program = first;
    // `Exile.stream!(["ffmpeg", …])`, `Port.open({:spawn, "ffmpeg …"}, …)`
    if (first?.is === 'list') program = first.items[0];
    if (first?.is === 'tuple') program = first.items[1];
    const command = evaluate(program, inner(scope));
    // `/usr/bin/convert -strip a.png` → convert
    const [, name] =
      (typeof command === 'string' &&
        /^(?:\/[\w./-]*\/)?([\w.+-]+)(?:\s|$)/.exec(command.trim())) ||
      [];
    // Started while the module compiles: in its body, outside of functions
    const compileTime = !around.some(isDefinition);
    if (name) found.push({ name, file, line: lineAt(text, expr.offset), compileTime });
  });
  return found;
}

/** Node runs beside the app: live_svelte, live_vue, live_react and Inertia render with the package nodejs. */
export const startsNode = (sources: Sources): boolean =>
  sources.matching(/^[^#\n]*\b(NodeJS\.(Supervisor|call)|Inertia\.SSR)\b/m).length > 0;
