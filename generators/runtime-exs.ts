import semver from 'semver';
import { resultOf } from '../src/check/check.ts';
import { overruled } from '../src/check/overruled.ts';
import { Repo } from '../src/check/repo.ts';
import { requirements } from '../src/check/requirements.ts';
import {
  logLines,
  missingLogLevel,
  missingSwitch,
  missingTls,
  missingTzdata,
  takesClosures,
} from '../src/check/runtime-app.ts';
import { endpointTarget } from '../src/check/runtime-endpoint.ts';
import { type RepoTarget, repoTargets } from '../src/check/runtime-repos.ts';
import { endpointOf } from '../src/check/runtime-settings.ts';
import { runtimeFile } from '../src/docker/copies.ts';
import { outsideBlock } from '../src/edit/block.ts';
import type { Merge } from '../src/edit/conflict.ts';
import type { Project } from '../src/facts/detect.ts';
import { databaseSource } from '../src/fly/postgres.ts';
import type { Context, Descriptor } from '../src/plan/file.ts';
import { plan } from '../src/plan/plan.ts';
import { elixirAtom, elixirModule, elixirString, tomlString } from '../src/quote.ts';
import { poolSize } from './fly-toml.ts';
import { intoOurs, portOf } from './shared.ts';

/** Writes what `check` misses in the owner's files, judged without our block: what they set stays in force. */
export const runtimeExs: Descriptor = {
  outputs: (context) => {
    const path = runtimeFile(context.project);
    const merge: Merge = (before, rendered, onConflict) => {
      const lines = closeUp(rendered);
      const isEmpty = lines.trim().split('\n').length === 2;
      return intoOurs(path, 'import Config')(before, isEmpty ? '' : lines, onConflict);
    };
    return [{ path, template: 'config/runtime.exs', view: viewOf(context, path), merge }];
  },
  notes: (context) => [...overruledNotes(context), ...faultNotes(context)],
};

function overruledNotes({ project, answers }: Context): string[] {
  const repo = new Repo(withoutBlock(project, runtimeFile(project)));
  return overruled([endpointTarget(repo), ...repoTargets(repo, answers.postgres.kind)]);
}

/** What the owner's own settings would break on Fly, and we don't write over. */
function faultNotes(context: Context): string[] {
  const { project, answers } = context;
  const [written] = plan([runtimeExs], context);
  const fly = project.tree.read('fly.toml') ?? `[env]\nPHX_HOST = ${tomlString(answers.host)}\n`;
  const planned = withText(
    withText(project, runtimeFile(project), () => written?.after ?? ''),
    'fly.toml',
    () => `# ${databaseSource(answers.postgres, answers.app, 'DATABASE_URL')}\n${fly}`,
  );
  const repo = new Repo(planned);
  return requirements
    .filter(({ id }) => /^(R3\.\d|B13)$/.test(id))
    .flatMap((requirement) => resultOf(requirement, repo).findings)
    .filter(({ weight, edit }) => /must|should/.test(weight) && !edit.includes('plop runtime-exs'))
    .map(({ file, line, what, edit }) => `${file}${line ? `:${line}` : ''}: ${what}; ${edit}`);
}

function viewOf({ project, answers }: Context, path: string): Record<string, unknown> {
  const repo = new Repo(withoutBlock(project, path));
  const { otpApp } = project.app;
  const { kind } = answers.postgres;
  const { missing } = endpointTarget(repo);
  const repos = repoTargets(repo, kind);
  const origins = originsOf(repo, answers.app, answers.host, missing['url.host'] === true);
  const background = missingSwitch(repo);
  const log = logLines(repo);
  return {
    release: answers.release,
    otpApp: elixirAtom(otpApp),
    endpoint: elixirModule(project.endpoint.module),
    port: portOf(project),
    missing,
    requires: missing.secret_key_base || repos.some(({ missing: { url } }) => url),
    evals: missing.server || background || repos.some(({ missing: { direct } }) => direct),
    hosts: missing['url.host'] || missing.hostFallback || origins?.includes('#{'),
    url: [
      (missing['url.host'] || missing.hostFallback) && 'host: host',
      missing['url.port'] && 'port: 443',
      missing['url.scheme'] && 'scheme: "https"',
    ]
      .filter(Boolean)
      .join(', '),
    origins,
    databaseUrl: repos.some(({ missing: { url } }) => url),
    setDatabase: {
      app: 'fly postgres attach',
      managed: 'fly mpg attach',
      external: 'fly secrets set DATABASE_URL=ecto://...',
      none: '',
    }[kind],
    pools: kind === 'external' && repos.some(({ missing: { prepare } }) => prepare),
    poolSize: poolSize(answers),
    repos: repos.map((one) => viewOfRepo(one, project, kind)),
    background,
    tls: missingTls(repo),
    matchFun: takesClosures(repo),
    tzdata: missingTzdata(repo),
    logLevel: missingLogLevel(repo),
    log: { ...log, key: elixirAtom(log.key) },
  };
}

function viewOfRepo({ app, module, missing }: RepoTarget, project: Project, kind: string) {
  // postgrex 0.18.0 takes the options in `ssl`
  const lists = semver.gte(project.lockedVersion('postgrex') ?? '0.18.0', '0.18.0');
  return {
    ...missing,
    app: elixirAtom(app),
    module: elixirModule(module),
    // Settings of a repo that its owner set up are advice
    queue: missing.url && missing.queue,
    unnamed: missing.prepare && kind === 'managed',
    pooled: missing.prepare && kind === 'external',
    ssl: missing.ssl && lists,
    sslOpts: missing.ssl && !lists,
  };
}

/** The hosts from which sockets connect, as Elixir; undefined where the url's own host is the only one, or the owner has a list. */
function originsOf(repo: Repo, app: string, answered: string, ours: boolean): string | undefined {
  const { value, lacks, variable } = endpointOf(repo);
  // Without a list the host that the owner's variable names counts
  if (variable('url.host') !== undefined) return undefined;
  const own = value('url.host', { PHX_HOST: answered });
  const host = ours || typeof own !== 'string' ? answered : own;
  const names = new Set([host, answered, `${app}.fly.dev`]);
  if (names.size === 1 || !lacks('check_origin', (origins) => origins === true)) return undefined;
  const written = new Map([
    [`${app}.fly.dev`, '"//#{fly_host}"'],
    [answered, '"//#{host}"'],
  ]);
  return [...names].map((name) => written.get(name) ?? elixirString(`//${name}`)).join(', ');
}

const withText = (project: Project, file: string, edit: (text: string) => string): Project => ({
  ...project,
  tree: {
    ...project.tree,
    paths: new Set([...project.tree.paths, file]),
    read: (path) => (path === file ? edit(project.tree.read(path) ?? '') : project.tree.read(path)),
  },
});

const theirs = new WeakMap<Project, Project>();

/** One for each project, as much is computed with it. */
function withoutBlock(project: Project, runtime: string): Project {
  if (!project.tree.paths.has(runtime)) return project;
  const without = theirs.get(project) ?? withText(project, runtime, outsideBlock);
  theirs.set(project, without);
  return without;
}

/**
 * The template has a place for each setting: takes out statements that became empty, the last comma of a list and double
 * blank lines, and joins a lone setting with its statement, as `mix format` does.
 */
const closeUp = (rendered: string): string =>
  rendered
    .replace(/,\n( *)\],?(?=\n)/g, '\n$1],')
    .replace(/^ *http: \[\n *\],\n/m, '')
    .replace(/^ *config [^\n]*,\n(?=\n|end|$)/gm, '')
    .replace(/,(?=\n+(?: {2}(?! )|end|$))/g, '')
    .replace(/^( {2}config .*,)\n {4}(\w+: .*)(?=\n\n|\nend)/gm, joined)
    .replace(/\n{3,}/g, '\n\n')
    .replace(/ do\n\n/g, ' do\n')
    .replace(/\n\nend/g, '\nend');

const WIDTH = 98;
const joined = (both: string, statement: string, setting: string): string =>
  `${statement} ${setting}`.length <= WIDTH ? `${statement} ${setting}` : both;
