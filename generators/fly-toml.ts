import type TOML from '@iarna/toml';
import { flyTable } from '../src/existing.ts';
import type { GeneratedFile } from '../src/file.ts';
import { migrateCommand } from '../src/docker/release.ts';
import { attachCommand } from '../src/fly/postgres.ts';
import { Problem } from '../src/problem.ts';
import { questions, type Answers } from '../src/questions.ts';
import { tomlString } from '../src/quote.ts';
import { mergeToml } from '../src/toml-merge.ts';
import { PORT } from './shared.ts';

export const flyToml: GeneratedFile = {
  name: 'fly-toml',
  summary: 'machine, region, health check, environment',
  asks: ['app', 'region', 'postgres', 'host', 'memory', 'release', 'migrate', 'background'],
  outputs: ({ project, answers }) => {
    const { app, region, postgres, host, memory, release, migrate, background } = answers;
    if (migrate && project.repoModules.length === 0) throw new Problem('--migrate yes: this app has no Ecto repo to migrate');
    const service = oldService(flyTable(project));
    return [
      {
        path: 'fly.toml',
        template: 'fly.toml',
        view: {
          app: tomlString(app),
          region: tomlString(region),
          host: tomlString(host),
          port: service?.internal_port ?? PORT,
          services: service !== undefined,
          servicesCheck: service !== undefined && !service.http_checks?.length,
          migrate,
          releaseCommand: tomlString(migrateCommand(project, release)),
          database: postgres.kind !== 'none' && project.repoModules.length > 0,
          databaseSource: postgres.kind === 'external' ? 'The database is outside Fly: fly secrets set DATABASE_URL=ecto://...' : `DATABASE_URL is a secret, set by: ${attachCommand(postgres, app)}`,
          ipv6: postgres.kind !== 'external',
          poolSize: poolSize(answers),
          stopReason: background ? 'Background work: the proxy sees only requests, so it must not stop or start machines' : 'Nothing runs in the background: the machine sleeps while nobody asks for a page',
          autoStop: background ? 'off' : 'suspend',
          autoStart: !background,
          minMachines: background ? 1 : 0,
          healthPath: tomlString(project.healthPath ?? '/health'),
          memory: questions.memory.print(memory),
        },
        merge: (before, rendered) => merge(before, rendered),
      },
    ];
  },
};

/** Managed Postgres' Basic plan allows 50 connections and its guide says 8; a small Postgres app takes 10. */
export const poolSize = ({ postgres }: Answers): number => (postgres.kind === 'managed' ? 8 : 10);

interface OldService {
  internal_port?: number;
  http_checks?: unknown[];
}

/** The one [[services]] of an older fly.toml; it stays, and gains a health check. @throws Problem when there are several */
function oldService(table: TOML.JsonMap): OldService | undefined {
  const services = (table.services ?? []) as unknown as OldService[];
  if (services.length > 1) throw new Problem('fly.toml has several [[services]], and which one serves the pages is not known; name it in [http_service] instead, then run again');
  return services[0];
}

/** What answers decide, and what a requirement needs whatever stood there. All else stays the user's. */
const OWNED = new Set(['app', 'primary_region', 'kill_signal', 'env.PHX_HOST', 'env.PORT', 'env.ECTO_IPV6', 'http_service.internal_port', 'http_service.force_https', 'http_service.auto_stop_machines', 'http_service.auto_start_machines', 'http_service.min_machines_running', 'vm.0.size', 'vm.0.memory']);

function merge(before: string | undefined, rendered: string): string {
  if (before === undefined) return rendered;
  // An empty inline list says nothing, and TOML lets no check be added to it
  return mergeToml(before.replace(/^[ \t]*http_checks[ \t]*=[ \t]*\[\s*\][ \t]*\r?\n/m, ''), rendered, (path) => OWNED.has(path));
}
