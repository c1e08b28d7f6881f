import semver from 'semver';
import type { Answers } from '../src/answers/questions.ts';
import { resultOf } from '../src/check/check.ts';
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
import { type EctoTarget, ectoTargets } from '../src/check/runtime-repos.ts';
import { endpointOf, type Target } from '../src/check/runtime-settings.ts';
import { runtimeFile } from '../src/docker/release-files.ts';
import type { Merge } from '../src/edit/conflict.ts';
import { show } from '../src/elixir/value.ts';
import type { Project } from '../src/facts/detect.ts';
import { withoutOurBlock } from '../src/facts/phoenix-repo.ts';
import { databaseSource } from '../src/fly/postgres.ts';
import type { Context, Descriptor } from '../src/plan/file.ts';
import { plan } from '../src/plan/plan.ts';
import { elixirAtom, elixirModule, elixirString, tomlString } from '../src/quote.ts';
import { withFile } from '../src/tree.ts';
import { intoOurs, portOf } from './shared.ts';

/** Writes what `check` misses in the owner's files, judged without our block: what they set stays in force. */
export const runtimeExs: Descriptor = {
  outputs: (context) => {
    const path = runtimeFile(context.project);
    const merge: Merge = (before, rendered, onConflict) => {
      const lines = closeUp(rendered);
      // Only `if config_env() == :prod do` and `end`
      const isEmpty = lines.trim().split('\n').length === 2;
      return intoOurs(path, 'import Config')(before, isEmpty ? '' : lines, onConflict);
    };
    return [{ path, template: 'config/runtime.exs', view: viewOf(context), merge }];
  },
  notes: (context) => [...overruledNotes(context), ...faultNotes(context)],
};

/** Why our block replaces what the owner's files set. */
const REASONS: Readonly<Record<string, string>> = {
  'url.host': 'on Fly the app has another address, PHX_HOST',
  'url.port': "links are https behind Fly's proxy: 443",
  'http.ip': 'nobody reaches it there: the app listens on all interfaces',
  'http.port': 'fly.toml names another port, which PORT says',
  server: 'PHX_SERVER decides',
  secret_key_base: 'it is compiled in, ours reads SECRET_KEY_BASE',
  url: 'it is compiled in, ours reads DATABASE_URL',
};

/** The owner's values that our block replaces, each with its place and the reason. */
function overruledNotes({ project, answers }: Context): string[] {
  const repo = new Repo(withoutBlock(project));
  const targets: Target[] = [endpointTarget(repo), ...ectoTargets(repo, answers.postgres.kind)];
  return targets.flatMap(({ missing, value, location }) => {
    const replaced = Object.entries(REASONS).filter(([key]) => missing[key]);
    return replaced.flatMap(([key, reason]) => {
      const [setting, place] = [value(key) ?? null, location(key)];
      const isStock = /^(localhost|(www\.)?example\.\w+)$/.test(String(setting));
      if (setting === null || isStock || !place) return [];
      const text = /secret|url$/.test(key) ? key : `${key}: ${show(setting)}`;
      return [`${place.file}:${place.line}: ${text} is replaced by ours; ${reason}`];
    });
  });
}

/** What the owner's own settings would break on Fly, and we don't write over. */
function faultNotes(context: Context): string[] {
  const repo = new Repo(afterwards(context));
  const findings = requirements
    .filter(({ id }) => /^(R3\.\d|B13)$/.test(id))
    .flatMap((requirement) => resultOf(requirement, repo).findings);
  return findings
    .filter(({ weight, edit }) => /must|should/.test(weight) && !edit.includes('plop runtime-exs'))
    .map(({ file, line, what, edit }) => `${file}${line ? `:${line}` : ''}: ${what}; ${edit}`);
}

/** The project as this run leaves it, as far as the rules of runtime.exs look at it. */
function afterwards(context: Context): Project {
  const { project, answers } = context;
  const [change] = plan([runtimeExs], context);
  const fly = project.tree.read('fly.toml') ?? `[env]\nPHX_HOST = ${tomlString(answers.host)}\n`;
  const source = databaseSource(answers.postgres, answers.app, 'DATABASE_URL');
  const tree = withFile(project.tree, runtimeFile(project), change?.after ?? '');
  return { ...project, tree: withFile(tree, 'fly.toml', `# ${source}\n${fly}`) };
}

function viewOf({ project, answers }: Context): Record<string, unknown> {
  const repo = new Repo(withoutBlock(project));
  const { kind } = answers.postgres;
  const { missing } = endpointTarget(repo);
  const repos = ectoTargets(repo, kind);
  const isMissing = (key: keyof EctoTarget['missing']) =>
    repos.some((target) => target.missing[key]);
  const setsHost = missing['url.host'] || missing.hostFallback;
  const origins = originsOf(repo, answers, missing['url.host'] === true);
  const url = [
    setsHost && 'host: host',
    missing['url.port'] && 'port: 443',
    missing['url.scheme'] && 'scheme: "https"',
  ];
  const background = missingSwitch(repo);
  const log = logLines(repo);
  return {
    release: answers.release,
    otpApp: elixirAtom(project.app.otpApp),
    endpoint: elixirModule(project.endpoint.module),
    port: portOf(project),
    missing,
    needsRequireEnv: missing.secret_key_base || isMissing('url'),
    needsEval: missing.server || background || isMissing('direct'),
    needsHost: setsHost || origins?.includes('#{'),
    url: url.filter(Boolean).join(', '),
    origins,
    databaseUrl: isMissing('url'),
    setDatabase: {
      app: 'fly postgres attach',
      managed: 'fly mpg attach',
      external: 'fly secrets set DATABASE_URL=ecto://...',
      none: '',
    }[kind],
    needsPooled: kind === 'external' && isMissing('prepare'),
    poolSize: kind === 'managed' ? 8 : 10,
    repos: repos.map((target) => viewOfRepo(target, project, kind)),
    background,
    tls: missingTls(repo),
    matchFun: takesClosures(repo),
    tzdata: missingTzdata(repo),
    logLevel: missingLogLevel(repo),
    log: { ...log, key: elixirAtom(log.key) },
  };
}

function viewOfRepo({ app, module, missing }: EctoTarget, project: Project, kind: string) {
  // Since postgrex 0.18.0 `ssl` takes the options, which stood in `ssl_opts`
  const isModern = semver.gte(project.lockedVersion('postgrex') ?? '0.18.0', '0.18.0');
  return {
    ...missing,
    app: elixirAtom(app),
    module: elixirModule(module),
    // Settings of a repo that its owner set up are advice
    queue: missing.url && missing.queue,
    unnamed: missing.prepare && kind === 'managed',
    pooled: missing.prepare && kind === 'external',
    ssl: missing.ssl && isModern,
    sslOpts: missing.ssl && !isModern,
  };
}

/** The hosts from which sockets connect, as Elixir; undefined where the url's host is the only one, or the owner has a list. */
function originsOf(repo: Repo, { app, host }: Answers, setsHost: boolean): string | undefined {
  const { value, lacks, variable } = endpointOf(repo);
  // Without a list the host that the owner's variable names counts
  if (variable('url.host') !== undefined) return undefined;
  const urlHost = value('url.host', { PHX_HOST: host });
  const ownHost = setsHost || typeof urlHost !== 'string' ? host : urlHost;
  const hosts = new Set([ownHost, host, `${app}.fly.dev`]);
  if (hosts.size === 1 || !lacks('check_origin', (origins) => origins === true)) return undefined;
  const variables = new Map([
    [`${app}.fly.dev`, '"//#{fly_host}"'],
    [host, '"//#{host}"'],
  ]);
  return [...hosts].map((name) => variables.get(name) ?? elixirString(`//${name}`)).join(', ');
}

/** Made once, as what the rules compute is kept by the project that they are asked about. */
const withoutBlock = (project: Project): Project =>
  new Repo(project).cached('without our block', () => ({
    ...project,
    tree: withoutOurBlock(project.tree, runtimeFile(project)),
  }));

/** Tidies the rendered template, which has a place for each setting, as `mix format` would. */
const closeUp = (rendered: string): string =>
  rendered
    // The last comma of a list
    .replace(/,\n( *)\],?(?=\n)/g, '\n$1],')
    // Lists and statements without a setting
    .replace(/^ *http: \[\n *\],\n/m, '')
    .replace(/^ *config [^\n]*,\n(?=\n|end|$)/gm, '')
    // The last comma of a statement
    .replace(/,(?=\n+(?: {2}(?! )|end|$))/g, '')
    // A lone setting, which stands on the line of its statement
    .replace(/^( {2}config .*,)\n {4}(\w+: .*)(?=\n\n|\nend)/gm, onOneLine)
    // Blank lines
    .replace(/\n{3,}/g, '\n\n')
    .replace(/ do\n\n/g, ' do\n')
    .replace(/\n\nend/g, '\nend');

const WIDTH = 98;
const onOneLine = (twoLines: string, statement: string, setting: string): string =>
  `${statement} ${setting}`.length <= WIDTH ? `${statement} ${setting}` : twoLines;
