import { get, moduleName, type Value } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Use } from './code.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

/**
 * The endpoint that serves the app. Among several: one that is in the release, that production
 * configures; across umbrella apps the one that most others build on.
 * @throws Problem without an endpoint
 */
export function pickEndpoint(repo: PhoenixRepo): Use & { otpApp: string } {
  const { projects, notes } = repo;
  const apps = projects.map(({ app }) => app);
  const endpoints = repo.code.endpoints.filter(
    ({ otpApp }) => otpApp === null || apps.includes(otpApp),
  );
  const score = endpointScore(repo);
  const [best, second] = endpoints
    .map((endpoint) => ({ ...endpoint, score: score(endpoint) }))
    .sort((left, right) => right.score - left.score);
  if (!best)
    throw new Problem(
      'no endpoint found: no module under lib/ says `use Phoenix.Endpoint`; is this the app that serves the web pages?',
    );
  const names = endpoints.map(({ module }) => module).join(', ');
  if (second)
    notes.push(`Several endpoints (${names}); ${best.module} is used as the one that serves.`);
  return { ...best, otpApp: best.otpApp ?? apps.find(Boolean) ?? '' };
}

/** How likely an endpoint is the one that serves. The weights were found by trying them on some 40 public apps. */
function endpointScore({ config, projects, releasedApps }: PhoenixRepo) {
  const dependents = new Map<string, number>();
  for (const { name } of projects.flatMap(({ deps }) => deps))
    dependents.set(name, (dependents.get(name) ?? 0) + 1);
  const baseModules = new Map(projects.map((project) => [project.app, baseModule(project)]));
  const [firstReleased] = releasedApps?.keys() ?? [];
  return ({ module, otpApp }: Use): number => {
    const app = otpApp ?? '';
    const signs: [weight: number, applies: unknown][] = [
      [-10, get(get(config.apps.get(app), module), 'server') === false],
      [4, get(config.apps.get(app), module)],
      [3, releasedApps?.get(app)],
      [1, firstReleased === app],
      [2, module.endsWith('Web.Endpoint')],
      [2, module.startsWith(baseModules.get(otpApp) ?? '-')],
      [(4 * (dependents.get(app) ?? 0)) / (projects.length + 1), true],
    ];
    return signs.reduce((sum, [weight, applies]) => sum + (applies ? weight : 0), 0);
  };
}

/** What an app's modules begin with, e.g. "Shop". */
const baseModule = ({ applicationModule, projectModule }: MixProject): string | null =>
  (applicationModule ?? projectModule)?.replace(/\.(Application|App|MixProject|Mixfile)$/, '') ??
  null;

/** Names that can't be derived from each other: OTP app, base module, web module. */
export function identity({ root, code }: PhoenixRepo, web: MixProject, endpoint: string) {
  const parent = endpoint.split('.').slice(0, -1).join('.');
  const webModules = code.webModules.filter(
    (name) => web.dir === '.' || code.sources.module(name)?.file.startsWith(`${web.dir}/`),
  );
  const nearEndpoint = webModules.includes(parent)
    ? parent
    : webModules.find((name) => name.startsWith(`${parent}.`));
  const fallback = parent.endsWith('Web') ? parent : (webModules[0] ?? null);
  return {
    otpApp: web.app ?? root.app ?? '',
    module: baseModule(web) ?? parent,
    webModule: nearEndpoint ?? fallback,
    webDir: web.dir,
  };
}

/** The endpoint's adapter, else what Phoenix would take: Bandit where it is the only server among the dependencies. */
export function httpServer(config: Value | undefined, deps: readonly Dep[]): 'bandit' | 'cowboy' {
  const adapter = moduleName(get(config, 'adapter'));
  const has = (name: string) => deps.some((dep) => dep.name === name && dep.prod);
  const isBandit = adapter ? /Bandit/.test(adapter) : has('bandit') && !has('plug_cowboy');
  return isBandit ? 'bandit' : 'cowboy';
}
