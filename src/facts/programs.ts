import { evaluate } from '../elixir/evaluate.ts';
import { inner } from '../elixir/scope.ts';
import { type Call, type Expr, lineAt, walk } from '../elixir/syntax.ts';
import type { Sources } from './sources.ts';

/** A program that the app's code starts, by its literal name. */
export interface StartedProgram {
  name: string;
  file: string;
  line: number;
  /** Started while the module compiles: in its body, outside of functions. */
  compileTime: boolean;
}

const STARTERS = [
  'System.cmd',
  'System.shell',
  'System.find_executable',
  'MuonTrap.',
  'Port.open',
  'Exile.',
  'ExCmd.',
  'Rambo.run',
  ':os.cmd',
  ':exec.run',
];

/** Programs that modules start while the app runs; Mix tasks and what only tests see are left out. */
export function startedPrograms(sources: Sources): StartedProgram[] {
  const found: StartedProgram[] = [];
  for (const file of sources.mentioning(STARTERS)) {
    if (/(^|\/)mix\//.test(file)) continue;
    for (const { body, scope } of sources.modules(file)) {
      const inside = body.filter(isDefinition);
      for (const [code, compileTime] of [
        [body.filter((expr) => !isDefinition(expr)), true],
        [inside, false],
      ] as const)
        walk(code, (expr) => {
          if (expr.is !== 'call') return;
          const value = evaluate(programOf(expr), inner(scope));
          const name = typeof value === 'string' ? nameOf(value) : undefined;
          const line = lineAt(sources.text(file), expr.offset);
          if (name) found.push({ name, file, line, compileTime });
        });
    }
  }
  const isSame = (one: StartedProgram, other: StartedProgram) =>
    one.name === other.name && one.compileTime === other.compileTime;
  return found.filter((one, index) => found.findIndex((other) => isSame(one, other)) === index);
}

const isDefinition = (expr: Expr): boolean =>
  expr.is === 'call' && /^(def|defp|defmacro|defmacrop|defmodule|defimpl|quote)$/.test(expr.name);

/** What a call takes for the program, or for a command line that begins with it. */
function programOf({ on, name, args }: Call) {
  const module = on?.is === 'module' || on?.is === 'atom' ? on.name : undefined;
  const [first] = args;
  switch (`${module}.${name}`) {
    case 'System.cmd':
    case 'System.shell':
    case 'System.find_executable':
    case 'MuonTrap.cmd':
    case 'MuonTrap.Daemon.start_link':
    case 'Rambo.run':
    case 'os.cmd':
    case 'exec.run':
      return first;
    case 'Exile.stream':
    case 'Exile.stream!':
    case 'ExCmd.stream':
    case 'ExCmd.stream!':
      return first?.is === 'list' ? first.items[0] : undefined;
    case 'Port.open':
      return first?.is === 'tuple' ? first.items[1] : undefined;
    default:
      return undefined;
  }
}

/** `/usr/bin/convert -strip a.png` → convert. */
const nameOf = (command: string): string | undefined =>
  /^(?:\/[\w./-]*\/)?([\w.+-]+)(?:\s|$)/.exec(command.trim())?.[1];

/** Node runs beside the app: live_svelte, live_vue, live_react and Inertia render with the package nodejs. */
export const startsNode = (sources: Sources): boolean =>
  sources.files.some((file) =>
    /^[^#\n]*\b(NodeJS\.(Supervisor|call)|Inertia\.SSR)\b/m.test(sources.text(file)),
  );
