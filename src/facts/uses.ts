import { evaluate } from '../elixir/evaluate.ts';
import { walk } from '../elixir/expr.ts';
import { callsIn } from '../elixir/modules.ts';
import { fullName } from '../elixir/scope.ts';
import { atomName, get, moduleName, type Value } from '../elixir/value.ts';
import type { SourceModule } from './sources.ts';

export interface EndpointModule {
  module: string;
  file: string;
  otpApp: string | null;
}

export interface RepoModule extends EndpointModule {
  adapter: string | null;
  /** `read_only: true`: a replica, which nothing migrates. */
  readOnly: boolean;
}

/** What the project's modules are, by what they `use`, themselves or through a macro of the project. */
export interface Uses {
  endpoints: EndpointModule[];
  repos: RepoModule[];
  /** Modules with routes: Phoenix.Router and Plug.Router. */
  routers: SourceModule[];
  /** Modules that others `use` with :router, :controller, …: what Phoenix calls the web module. */
  webModules: string[];
  /** A module is a Rust crate of the project (`use Rustler`). */
  rustler: boolean;
}

interface Use {
  target: string;
  options: Value;
}

/** A module's own `__using__` (or `def router do quote …`): what using it amounts to. */
interface Macro extends Use {
  /** The function the quote stands in, e.g. "router"; null in __using__ itself. */
  variant: string | null;
}

type Kind = 'endpoint' | 'repo' | 'router' | 'rustler';

export function readUses(modules: readonly SourceModule[]): Uses {
  const uses: Uses = { endpoints: [], repos: [], routers: [], webModules: [], rustler: false };
  const macros = new Map(modules.map((module) => [module.name, macrosIn(module)]));
  for (const [name, found] of macros)
    if (found.some(({ variant, target }) => variant !== null && WEB.test(target)))
      uses.webModules.push(name);
  for (const module of modules) {
    const kinds = new Set<Kind>();
    for (const { args } of callsIn(module.body, 'use')) {
      const [used, options] = args;
      const target = used?.is === 'module' ? fullName(used.name, module.scope) : '';
      const use = { target, options: evaluate(options, module.scope) };
      for (const amounts of [use, ...through(use, macros.get(target) ?? [])])
        classify(module, use, amounts, kinds, uses);
    }
  }
  return uses;
}

const WEB = /^Phoenix\.(Router|Controller)$/;

function macrosIn({ body, scope }: SourceModule): Macro[] {
  const found = new Map<string, Macro>();
  for (const expr of body) {
    if (expr.is !== 'call' || !/^(def|defp|defmacro)$/.test(expr.name)) continue;
    const head = expr.args[0];
    const name = head?.is === 'call' || head?.is === 'variable' ? head.name : null;
    const variant = name === '__using__' ? null : name;
    walk(expr.blocks.do ?? [], (inner) => {
      if (inner.is !== 'call' || inner.name !== 'use' || inner.args[0]?.is !== 'module') return;
      const target = fullName(inner.args[0].name, scope);
      const key = `${target} ${variant}`;
      if (!found.has(key))
        found.set(key, { target, options: evaluate(inner.args[1], scope), variant });
    });
  }
  return [...found.values()];
}

/** What a `use` of the project's own module does: its `__using__`, and the variant that the options name. */
function through({ options }: Use, macros: readonly Macro[]): Macro[] {
  const wanted = [null, atomName(options), get(options, 'which')];
  return macros.filter(({ variant }) => wanted.includes(variant));
}

/** A module is one of each kind at most. */
function classify(
  module: SourceModule,
  { target, options }: Use,
  amounts: Use,
  kinds: Set<Kind>,
  uses: Uses,
): void {
  const option = (key: string) => get(options, key) ?? get(amounts.options, key);
  const otpApp = atomName(option('otp_app')) ?? null;
  const isRouter = atomName(options) === 'router' && amounts.target === target;
  const kind = kindOf(amounts.target, otpApp) ?? (isRouter ? 'router' : undefined);
  if (!kind || kinds.has(kind)) return;
  kinds.add(kind);
  const found = { module: module.name, file: module.file, otpApp };
  if (kind === 'endpoint') uses.endpoints.push(found);
  if (kind === 'repo')
    uses.repos.push({
      ...found,
      adapter: moduleName(option('adapter')) ?? null,
      readOnly: option('read_only') === true,
    });
  if (kind === 'router') uses.routers.push(module);
  if (kind === 'rustler') uses.rustler = true;
}

function kindOf(target: string, otpApp: string | null): Kind | undefined {
  if (target === 'Phoenix.Endpoint' || (target.endsWith('Endpoint') && otpApp)) return 'endpoint';
  if (target === 'Ecto.Repo' || (target.endsWith('.Repo') && otpApp)) return 'repo';
  if (target === 'Phoenix.Router' || target === 'Plug.Router') return 'router';
  return target === 'Rustler' ? 'rustler' : undefined;
}
