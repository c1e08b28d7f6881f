import { ParseError } from 'toml-eslint-parser';
import { type Answers, type Present, printAnswer } from '../src/answers/questions.ts';
import { followsPoolSize, poolSize } from '../src/check/fly-data.ts';
import { knownValues } from '../src/check/known-values.ts';
import { migrateCommand } from '../src/check/machine-env.ts';
import { Repo } from '../src/check/repo.ts';
import { urlName } from '../src/check/runtime-settings.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { mergeToml, type Overruled } from '../src/edit/toml-merge.ts';
import { readToml, type TomlText } from '../src/edit/toml-text.ts';
import type { Project } from '../src/facts/detect.ts';
import { forceSslAdvice } from '../src/facts/force-ssl.ts';
import { type FlyConfig, flyConfig, type Service } from '../src/fly/fly-config.ts';
import { memoryOf, refuseMemory, UNSET_MEMORY } from '../src/fly/machine.ts';
import { isHostName } from '../src/fly/names.ts';
import { DATABASE_SOURCE, databaseSource } from '../src/fly/postgres.ts';
import type { Context, Descriptor } from '../src/plan/file.ts';
import { render } from '../src/plan/render.ts';
import { Problem } from '../src/problem.ts';
import { tomlString } from '../src/quote.ts';
import { mergeRules } from './fly-merge.ts';
import { scriptOutputs } from './migrate-sh.ts';
import { portOf } from './shared.ts';

export const flyToml: Descriptor = {
  present,
  outputs: (context) => {
    const { project, answers } = context;
    if (answers.migrate && project.database.repos.length === 0)
      throw new Problem('--migrate yes: this app has no Ecto repo to migrate');
    const config = flyConfig(project.tree);
    refuseMemory(config.machine?.data, answers.memory);
    return [
      {
        path: 'fly.toml',
        template: 'fly.toml',
        view: view(context, config),
        merge: (_before, rendered, onConflict) =>
          config.isBlank ? rendered : merge(context, config, rendered, onConflict).text,
      },
      ...(answers.migrate ? scriptOutputs(context) : []),
    ];
  },
  notes: (context) => {
    const config = flyConfig(context.project.tree);
    const notes = forceSslAdvice(context.project);
    if (config.isBlank) return notes;
    const rendered = render('fly.toml', view(context, config));
    const { overruled } = merge(context, config, rendered, 'leave');
    const others = [buildNote(config), machineNote(config, context.answers)];
    return [...overruled.map(changeNote), ...others, ...notes].filter((note) => note !== undefined);
  },
};

/** The answers that a fly.toml gives, whoever wrote it. */
function present({ tree }: Project): Present {
  const config = flyConfig(tree);
  if (config.isBlank) return {};
  const { app, region, deploy, service, workers } = config;
  const isOurs = OUR_COMMENTS.test(config.source.text);
  const stops = service && (isOurs || workers.length) ? 'no' : undefined;
  return {
    app,
    region,
    host: hostIn(config),
    memory: memoryIn(config),
    postgres: config.postgres,
    migrate: deploy.release_command ? 'yes' : 'no',
    // A machine that stops when nobody was asked about it (`fly launch` writes so into every file) says nothing about an
    // app that works in the background, unless a group of its own does that work
    background: service?.staysOn ? 'yes' : stops,
  };
}

/** Beginnings of the template's comments, one of which stands in any fly.toml that went through our hands; the last is older. */
const OUR_COMMENTS =
  /^\s*# (LiveView sockets connect only|Only a machine that answers|No background work|\w+ is a secret, set by: fly|The database is outside Fly|Nothing runs in the background)/m;

/** The host, without a scheme, other than the one that comes with the app's name. */
function hostIn({ app, env }: FlyConfig): string | undefined {
  const host = env.PHX_HOST?.trim()
    .toLowerCase()
    .replace(/^https?:\/\/|\/$/g, '');
  return host && isHostName(host) && host !== `${app}.fly.dev` ? host : undefined;
}

/** The memory of the pages' machine, where it is one that Fly has; without [[vm]] it stays what Fly gives it. */
function memoryIn({ machine }: FlyConfig): string | undefined {
  if (!machine) return `${UNSET_MEMORY}mb`;
  const memory = memoryOf(machine.data);
  return memory && memory % 256 === 0 ? `${memory}mb` : undefined;
}

function view({ project, answers, onConflict }: Context, config: FlyConfig) {
  const { app, region, postgres, host, memory, migrate, background } = answers;
  const isOldForm = config.service?.kind === 'services';
  const inMegabytes = config.machine?.data.memory_mb !== undefined && !config.machine.data.memory;
  const repo = new Repo(project);
  const port = portOf(project);
  const database = postgres.kind !== 'none' && project.database.repos.length > 0;
  return {
    app: tomlString(app),
    region: tomlString(region),
    host: tomlString(host),
    port,
    knownValues: knownValues(repo, host, port).map((known) => ({
      ...known,
      value: tomlString(known.value),
    })),
    service: isOldForm ? 'services' : 'http_service',
    checks: isOldForm ? 'services.http_checks' : 'http_service.checks',
    ports: isOldForm,
    group: config.group && tomlString(config.group),
    migrate,
    // Ours, where it replaces their Dockerfile, has the release in /app
    releaseCommand: tomlString(
      onConflict === 'replace' ? '/app/bin/migrate' : migrateCommand(repo),
    ),
    database,
    databaseSource: databaseSource(postgres, app, urlName(repo)),
    ipv6: postgres.kind !== 'external',
    poolSize: database && followsPoolSize(repo) && poolSize(repo, postgres.kind === 'managed'),
    background,
    // Neither swap nor more than 4 GB can be suspended (fly.io/docs/reference/suspend-resume, 2026-08)
    idle: config.table.swap_size_mb ? 'stop' : 'suspend',
    ...connectionLimits(config.service),
    healthPath: tomlString(project.endpoint.healthPath ?? '/health'),
    memoryKey: inMegabytes ? 'memory_mb' : 'memory',
    memory: inMegabytes ? memory : tomlString(printAnswer('memory', memory)),
  };
}

/** 1000 connections at once, as far as limits of theirs leave room. */
function connectionLimits(service: Service | undefined): { soft: number; hard: number } {
  const theirs = service?.hasLaunchLimits ? undefined : service?.concurrency;
  const { soft_limit: soft = 1000, hard_limit: hard = 1000 } = theirs ?? {};
  return { soft: Math.min(1000, Number(hard)), hard: Math.max(1000, Number(soft)) };
}

function merge(
  context: Context,
  config: FlyConfig,
  rendered: string,
  onConflict: OnConflict,
): { text: string; overruled: Overruled[] } {
  const { postgres, app } = context.answers;
  const source = databaseSource(postgres, app, urlName(new Repo(context.project)));
  try {
    const theirs = withDatabaseSource(config.source, source);
    return mergeToml(theirs, readToml(rendered), mergeRules(config, context, onConflict));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Problem(
      `fly.toml is written in a way that nothing can be merged into (${error.message}); write each of its tables under its own header, then run again`,
    );
  }
}

/** The comment from which a rerun reads the answer back says what is answered now; words behind it stay. */
function withDatabaseSource(theirs: TomlText, source: string): TomlText {
  const text = theirs.text.replace(DATABASE_SOURCE, (comment) =>
    `${comment} `.startsWith(`${source} `) ? comment : source,
  );
  return text === theirs.text ? theirs : readToml(text);
}

function changeNote({ path, theirs, ours, why }: Overruled): string {
  const key = path.replaceAll(/\.\d+/g, '').replaceAll('\0', '.');
  const reason = why && ` (${why})`;
  return `${key} is ${JSON.stringify(ours)} in place of ${JSON.stringify(theirs)}${reason}`;
}

function buildNote({ bypasses }: FlyConfig): string | undefined {
  if (bypasses.length)
    return `with ${bypasses.join(', ')} under [build], fly deploy does not build the Dockerfile; --conflict replace removes that`;
}

function machineNote({ machine }: FlyConfig, { memory }: Answers): string | undefined {
  if (memory !== UNSET_MEMORY || machine?.data.memory || machine?.data.memory_mb) return undefined;
  const state = machine
    ? '[[vm]] names no memory, so the machine has 256 MB, on which the Erlang VM may run out'
    : 'there is no [[vm]], so the machine stays as it is: `fly scale show` says how large (256 MB unless somebody changed it)';
  return `${state}; --memory 1gb writes it`;
}
