import { ParseError } from 'toml-eslint-parser';
import { alwaysOn, flyTable } from '../src/answers/existing.ts';
import { type Answers, questions } from '../src/answers/questions.ts';
import { migrateCommand } from '../src/docker/release-files.ts';
import { type MergeRules, mergeToml } from '../src/edit/toml-merge.ts';
import { DATABASE_SOURCE, databaseSource } from '../src/fly/postgres.ts';
import {
  connections,
  listAt,
  memoryKey,
  mergeRules,
  pageGroup,
  pageMachine,
  pageService,
} from '../src/fly/service.ts';
import type { GeneratedFile } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { tomlString } from '../src/quote.ts';
import { portOf } from './shared.ts';

export const flyToml: GeneratedFile = {
  name: 'fly-toml',
  summary: 'machine, region, health check, environment',
  asks: ['app', 'region', 'postgres', 'host', 'memory', 'release', 'migrate', 'background'],
  outputs: ({ project, answers }) => {
    const { app, region, postgres, host, memory, release, migrate, background } = answers;
    if (migrate && project.database.repos.length === 0)
      throw new Problem('--migrate yes: this app has no Ecto repo to migrate');
    const there = flyTable(project);
    const service = pageService(there);
    const group = pageGroup(there);
    const machine = pageMachine(there);
    const key = memoryKey(machine?.data, memory);
    const old = service?.table === 'services';
    return [
      {
        path: 'fly.toml',
        template: 'fly.toml',
        view: {
          app: tomlString(app),
          region: tomlString(region),
          host: tomlString(host),
          port: portOf(project),
          service: old ? 'services' : 'http_service',
          checks: old ? 'services.http_checks' : 'http_service.checks',
          old,
          group: group && tomlString(group),
          serviceGroup: group !== undefined && service?.data.processes === undefined,
          migrate,
          releaseCommand: tomlString(migrateCommand(project, release)),
          database: postgres.kind !== 'none' && project.database.repos.length > 0,
          databaseSource: databaseSource(postgres, app),
          ipv6: postgres.kind !== 'external',
          poolSize: poolSize(answers),
          // A service that stops, or never stops, as the answer says keeps its own words for it
          idle: service === undefined || background !== (alwaysOn(project) === 'yes'),
          stopReason: background
            ? 'Background work: the proxy sees only requests, so it must not stop or start machines'
            : 'Nothing runs in the background: the machine sleeps while nobody asks for a page',
          autoStop: background ? 'off' : 'suspend',
          autoStart: !background,
          minMachines: background ? 1 : 0,
          ...connections(service),
          healthPath: tomlString(project.endpoint.healthPath ?? '/health'),
          newMachine: machine === undefined,
          memory:
            key &&
            `${key} = ${key === 'memory' ? tomlString(questions.memory.print(memory)) : memory}`,
          // Without a name it would be the machine of every other group as well
          machineGroup:
            machine === undefined &&
            group !== undefined &&
            [...listAt(there, 'vm'), ...listAt(there, 'processes')].length > 0,
        },
        merge: (before, rendered) =>
          before?.trim()
            ? merge(
                before,
                rendered,
                databaseSource(postgres, app),
                mergeRules(there, answers, background && project.background.length > 0),
              )
            : rendered,
      },
    ];
  },
};

function merge(before: string, rendered: string, source: string, rules: MergeRules): string {
  try {
    return mergeToml(
      before
        .replace(/^\uFEFF/, '')
        .replace(DATABASE_SOURCE, (line) => (`${line} `.startsWith(`${source} `) ? line : source)),
      rendered,
      rules,
    );
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Problem(
      `fly.toml has a shape into which nothing can be merged (${error.message}); write its tables under headers of their own, then run again`,
    );
  }
}

/** Managed Postgres' Basic plan allows 50 connections and its guide says 8; a small Postgres app takes 10. */
export const poolSize = ({ postgres }: Answers): number => (postgres.kind === 'managed' ? 8 : 10);
