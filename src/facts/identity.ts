import { get, moduleName, type Value } from '../elixir/value.ts';
import { Problem } from '../problem.ts';
import type { Code, EndpointModule } from './code.ts';
import type { Config } from './config.ts';
import type { Dep, MixProject } from './mix-project.ts';
import { releasedApps } from './release.ts';
import type { Sources } from './sources.ts';

interface Candidates {
  code: Code;
  config: Config;
  projects: readonly MixProject[];
  sources: Sources;
  /** The release that is built; null: the default one. */
  release: string | null;
}

/**
 * The endpoint that serves the app. Among several: one that is in the release, that production
 * configures, that renders pages; across umbrella apps the one that most others build on.
 */
export function pickEndpoint(
  candidates: Candidates,
  notes: string[],
): EndpointModule & { otpApp: string } {
  const { code, projects } = candidates;
  const apps = new Set(projects.map(({ app }) => app));
  const known = code.endpoints.filter(({ otpApp }) => otpApp === null || apps.has(otpApp));
  const rank = ranking(candidates);
  const [best, second] = known
    .map((endpoint) => ({ endpoint, rank: known.length > 1 ? rank(endpoint) : 0 }))
    .sort((left, right) => right.rank - left.rank)
    .map(({ endpoint }) => endpoint);
  if (!best)
    throw new Problem(
      'no endpoint found: no module under lib/ says `use Phoenix.Endpoint`; is this the app that serves the web pages?',
    );
  if (second)
    notes.push(
      `Several endpoints (${known
        .map(({ module }) => module)
        .slice(0, 20)
        .join(', ')}); ${best.module} is used as the one that serves.`,
    );
  return { ...best, otpApp: best.otpApp ?? projects.map(({ app }) => app).find(Boolean) ?? '' };
}

/** Weights found by trying them on some 40 public apps: what is in the release counts most. */
function ranking({ code, config, projects, sources, release }: Candidates) {
  const released = releasedApps(projects, release);
  const byApp = new Map<string | null, number>();
  for (const { otpApp } of code.endpoints) byApp.set(otpApp, (byApp.get(otpApp) ?? 0) + 1);
  const ofApp = (otpApp: string | null) => {
    const project = projects.find(({ app }) => app === otpApp);
    const dependents = projects.filter(({ deps }) => deps.some(({ name }) => name === otpApp));
    const size = sources.files.filter((file) => file.startsWith(`${project?.dir ?? ''}/`)).length;
    const inRelease = otpApp === null ? undefined : released?.get(otpApp);
    const listed = inRelease ? 3 : 0;
    const left = released && otpApp !== null && inRelease === undefined ? -20 : 0;
    const weight = left + listed + (dependents.length / (projects.length + 1)) * 4 + size / 100_000;
    return { base: project && baseOf(project), weight };
  };
  const known = new Map([...byApp.keys()].map((app) => [app, ofApp(app)]));
  return ({ module, otpApp }: EndpointModule): number => {
    const settings = get(config.apps.get(otpApp ?? ''), module);
    const siblings = (byApp.get(otpApp) ?? 0) > 1;
    const { base, weight } = known.get(otpApp) ?? ofApp(otpApp);
    const renders = get(settings, 'live_view') || get(settings, 'render_errors');
    return (
      weight +
      (settings ? 4 : 0) +
      (siblings && module.endsWith('Web.Endpoint') ? 2 : 0) +
      (base && module.startsWith(base) ? 2 : 0) +
      (renders ? 1 : 0) -
      (siblings ? module.split('.').length / 10 : 0)
    );
  };
}

/** What an app's modules begin with, e.g. "Shop". */
const baseOf = (project: MixProject): string | null =>
  project.applicationModule?.replace(/\.(Application|App)$/, '') ??
  project.projectModule?.replace(/\.(MixProject|Mixfile)$/, '') ??
  null;

/** Names that can't be derived from each other: OTP app, base module, web module. */
export function identity(
  root: MixProject,
  web: MixProject,
  endpoint: string,
  code: Code,
  sources: Sources,
): { otpApp: string; module: string | null; webModule: string | null } {
  const base = baseOf(web);
  const parent = endpoint.split('.').slice(0, -1).join('.');
  const declared = code.webModules.filter(
    (name) => web.dir === '.' || sources.fileOf(name)?.startsWith(`${web.dir}/`),
  );
  const module = base && parent.startsWith(base) ? base : (base ?? parent);
  return {
    otpApp: web.app ?? root.app ?? '',
    module,
    webModule: declared.includes(parent)
      ? parent
      : (declared.find((name) => name.startsWith(`${parent}.`)) ??
        (parent.endsWith('Web') ? parent : (declared[0] ?? null))),
  };
}

/** The endpoint's adapter, else what its default amounts to. */
export function httpServer(endpointConfig: Value, deps: readonly Dep[]): 'bandit' | 'cowboy' {
  const adapter = moduleName(get(endpointConfig, 'adapter'));
  const has = (name: string) => deps.some((dep) => dep.name === name && dep.prod);
  const isBandit = adapter ? /Bandit/.test(adapter) : has('bandit') && !has('plug_cowboy');
  return isBandit ? 'bandit' : 'cowboy';
}
