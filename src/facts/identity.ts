import { get, moduleName, type Value } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Code, Use } from './code.ts';
import type { Dep, MixProject } from './mix-project.ts';
import type { PhoenixRepo } from './phoenix-repo.ts';

/**
 * The endpoint that serves the app. Among several: one that is in the release, that production
 * configures; across umbrella apps the one that most others build on.
 */
export function pickEndpoint(repo: PhoenixRepo): Use & { otpApp: string } {
  const { projects, notes } = repo;
  const apps = new Set(projects.map(({ app }) => app));
  const known = repo.code.endpoints.filter(({ otpApp }) => otpApp === null || apps.has(otpApp));
  const points = pointsOf(repo);
  const [best, second] = known
    .map((endpoint) => ({ ...endpoint, points: points(endpoint) }))
    .sort((left, right) => right.points - left.points);
  if (!best)
    throw new Problem(
      'no endpoint found: no module under lib/ says `use Phoenix.Endpoint`; is this the app that serves the web pages?',
    );
  const names = known.map(({ module }) => module).slice(0, 20);
  if (second)
    notes.push(
      `Several endpoints (${names.join(', ')}); ${best.module} is used as the one that serves.`,
    );
  return { ...best, otpApp: best.otpApp ?? [...apps].find(Boolean) ?? '' };
}

/** Weights found by trying them on some 40 public apps. */
function pointsOf({ config, projects, releasedApps }: PhoenixRepo) {
  const dependents = new Map<string, number>();
  for (const { name } of projects.flatMap(({ deps }) => deps))
    dependents.set(name, (dependents.get(name) ?? 0) + 1);
  const bases = new Map(projects.map((project) => [project.app, baseOf(project)]));
  return ({ module, otpApp }: Use): number => {
    const app = otpApp ?? '';
    const signs: [weight: number, isThere: unknown][] = [
      [4, get(config.apps.get(app), module)],
      [3, releasedApps?.get(app)],
      [2, module.endsWith('Web.Endpoint')],
      [2, module.startsWith(bases.get(otpApp) ?? '-')],
      [(4 * (dependents.get(app) ?? 0)) / (projects.length + 1), true],
    ];
    return signs.reduce((sum, [weight, isThere]) => sum + (isThere ? weight : 0), 0);
  };
}

/** What an app's modules begin with, e.g. "Shop". */
const baseOf = ({ applicationModule, projectModule }: MixProject): string | null =>
  (applicationModule ?? projectModule)?.replace(/\.(Application|App|MixProject|Mixfile)$/, '') ??
  null;

/** Names that can't be derived from each other: OTP app, base module, web module. */
export function identity(root: MixProject, web: MixProject, endpoint: string, code: Code) {
  const parent = endpoint.split('.').slice(0, -1).join('.');
  const declared = code.webModules.filter(
    (name) => web.dir === '.' || code.sources.fileOf(name)?.startsWith(`${web.dir}/`),
  );
  const around = declared.includes(parent)
    ? parent
    : declared.find((name) => name.startsWith(`${parent}.`));
  const named = parent.endsWith('Web') ? parent : (declared[0] ?? null);
  return {
    otpApp: web.app ?? root.app ?? '',
    module: baseOf(web) ?? parent,
    webModule: around ?? named,
    webDir: web.dir,
  };
}

/** The endpoint's adapter, else what its default amounts to. */
export function httpServer(endpointConfig: Value, deps: readonly Dep[]): 'bandit' | 'cowboy' {
  const adapter = moduleName(get(endpointConfig, 'adapter'));
  const has = (name: string) => deps.some((dep) => dep.name === name && dep.prod);
  const isBandit = adapter ? /Bandit/.test(adapter) : has('bandit') && !has('plug_cowboy');
  return isBandit ? 'bandit' : 'cowboy';
}
