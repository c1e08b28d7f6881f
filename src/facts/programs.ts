import { evaluate } from '../elixir/evaluate.ts';
import { type Call, type Expr, isDefinition } from '../elixir/expr.ts';
import { innerScope, type Scope } from '../elixir/scope.ts';
import { isMixTask, type Sources } from './sources.ts';
import { uniqueBy } from './unique.ts';

/** A program that the app's code starts, by its literal name. */
export type StartedProgram = ReturnType<typeof startedPrograms>[number];

/** Functions whose first argument is a program, or begins with one. */
const STARTERS =
  /(System\.(cmd|shell|find_executable)|MuonTrap\.(cmd|Daemon\.start_link)|Port\.open|(Exile|ExCmd)\.stream!?|Rambo\.run|:(os\.cmd|exec\.run))\b/;

/** Programs that modules start, at run time or while they compile; Mix tasks are left out. */
export function startedPrograms(sources: Sources) {
  const programs = sources.findCalls(STARTERS, (call, { file, text, scope }, ancestors) => {
    if (!STARTERS.test(qualifiedName(call)) || isMixTask(file, text)) return undefined;
    const command = commandText(programArgument(call), scope);
    // `/usr/bin/convert -strip a.png` → convert
    const [, name] = /^(?:\/[\w./-]*\/)?([\w.+-]+)(?:\s|$)/.exec(command.trim()) ?? [];
    return name ? { name, compileTime: !ancestors.some(isDefinition) } : undefined;
  });
  return uniqueBy(programs, ({ name, compileTime }) => `${name} ${compileTime}`);
}

/** `System.cmd`, `:os.cmd` */
function qualifiedName({ target, name }: Call): string {
  if (target?.is === 'atom') return `:${target.name}.${name}`;
  return target?.is === 'module' ? `${target.name}.${name}` : name;
}

/** Of `System.cmd("ffmpeg", …)`, `Exile.stream!(["ffmpeg", …])`, `Port.open({:spawn, "ffmpeg …"}, …)`. */
function programArgument({ args: [first] }: Call): Expr | undefined {
  if (first?.is === 'list') return first.items[0];
  return first?.is === 'tuple' ? first.items[1] : first;
}

/** `"pdftotext #{path} -"` is known up to the interpolation, where # stands, so that no name ends there. */
function commandText(program: Expr | undefined, scope: Scope): string {
  const value = evaluate(program, innerScope(scope));
  if (typeof value === 'string') return value;
  const [start] = program?.is === 'string' ? program.parts : [];
  return typeof start === 'string' ? `${start}#` : '';
}

/** Node runs beside the app: live_svelte, live_vue, live_react and Inertia render with the package nodejs. */
export const startsNode = (sources: Sources): boolean =>
  sources.matching(/^[^#\n]*\b(NodeJS\.(Supervisor|call)|Inertia\.SSR)\b/m).length > 0;
