import { evaluate } from '../elixir/evaluate.ts';
import { type Expr, isDefinition } from '../elixir/expr.ts';
import { innerScope, type Scope } from '../elixir/scope.ts';
import type { Value } from '../elixir/value.ts';
import { isTask, type Sources } from './sources.ts';

/** A program that the app's code starts, by its literal name. */
export type StartedProgram = ReturnType<typeof startedPrograms>[number];

/** Functions whose first argument is a program, or begins with one. */
const STARTERS =
  /(System\.(cmd|shell|find_executable)|MuonTrap\.(cmd|Daemon\.start_link)|Port\.open|(Exile|ExCmd)\.stream!?|Rambo\.run|:(os\.cmd|exec\.run))\b/;

/** Programs that modules start while the app runs; Mix tasks and what only tests see are left out. */
export function startedPrograms(sources: Sources) {
  const found = sources.inCalls(
    STARTERS,
    ({ target: on, name: called, args }, { file, scope }, around) => {
      if ((on?.is !== 'module' && on?.is !== 'atom') || isTask(file)) return undefined;
      if (!STARTERS.test(`${on.is === 'atom' ? ':' : ''}${on.name}.${called}`)) return undefined;
      const [first] = args;
      let program = first;
      // `Exile.stream!(["ffmpeg", …])`, `Port.open({:spawn, "ffmpeg …"}, …)`
      if (first?.is === 'list') program = first.items[0];
      if (first?.is === 'tuple') program = first.items[1];
      const command = commandText(program, scope);
      // `/usr/bin/convert -strip a.png` → convert
      const [, name] =
        (typeof command === 'string' &&
          /^(?:\/[\w./-]*\/)?([\w.+-]+)(?:\s|$)/.exec(command.trim())) ||
        [];
      // Started while the module compiles: in its body, outside of functions
      return name ? { name, compileTime: !around.some(isDefinition) } : undefined;
    },
  );
  const seen = new Set<string>();
  return found.filter(
    ({ name, compileTime }) => seen.size < seen.add(`${name} ${compileTime}`).size,
  );
}

/** `"pdftotext #{path} -"` is known up to what is put in; # so that no name ends there. */
function commandText(program: Expr | undefined, scope: Scope): Value {
  const [start] = program?.is === 'string' ? program.parts : [];
  const value = evaluate(program, innerScope(scope));
  return typeof value !== 'string' && typeof start === 'string' ? `${start}#` : value;
}

/** Node runs beside the app: live_svelte, live_vue, live_react and Inertia render with the package nodejs. */
export const startsNode = (sources: Sources): boolean =>
  sources.matching(/^[^#\n]*\b(NodeJS\.(Supervisor|call)|Inertia\.SSR)\b/m).length > 0;
