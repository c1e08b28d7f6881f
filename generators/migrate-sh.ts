import { migrateScript } from '../src/docker/release-files.ts';
import { migratedRepos, serverRepos } from '../src/facts/database.ts';
import type { Project } from '../src/facts/detect.ts';
import { queriesAtStart } from '../src/facts/start-queries.ts';
import { flyConfig } from '../src/fly/fly-config.ts';
import type { Context, Descriptor, Output } from '../src/plan/file.ts';
import { elixirAtom, elixirModule, isModule } from '../src/quote.ts';

export const migrateSh: Descriptor = {
  outputs: scriptOutputs,
  notes: (context) => (serverRepos(context.project).length ? [migrationNote(context)] : []),
};

/** The script, where there is something to migrate. `fly-toml` writes it too, as its release_command runs it. */
export function scriptOutputs({ project, answers }: Context): Output[] {
  const repos = migratedRepos(project);
  const command = flyConfig(project.tree).deploy.release_command ?? 'bin/migrate';
  // Whoever has a command of their own needs no script
  if (repos.length === 0 || !/bin\/migrate\b/.test(String(command))) return [];
  const apps = repos.map((repo) => project.database.repoApps.get(repo) ?? project.app.otpApp);
  return [
    {
      path: migrateScript(project, answers.release),
      template: 'rel/overlays/bin/migrate',
      mode: 0o755,
      view: {
        release: answers.release,
        releaseModule: releaseModule(project),
        apps: [...new Set(apps)].map((app) => inQuotes(elixirAtom(app))),
        repos: repos.map(elixirModule).join(', '),
      },
      merge: (before, rendered) => before ?? rendered,
    },
  ];
}

/** The module that `mix phx.gen.release` writes, where it still has its migrate/0. */
function releaseModule({ app, tree }: Project): string | undefined {
  const name = `${app.module}.Release`;
  const file = [...tree.paths].find((path) => /(^|\/)lib\/[^/]+\/release\.ex$/.test(path));
  const text = (file && tree.read(file)) ?? '';
  const migrates = text.includes(`defmodule ${name} do`) && /^\s*def migrate\b/m.test(text);
  return migrates && isModule(name) ? name : undefined;
}

/** Text between single quotes of a shell. */
const inQuotes = (text: string): string => text.replaceAll("'", `'\\''`);

/** Which way of migrating was taken, and why. */
function migrationNote({ project, answers: { migrate } }: Context): string {
  const why = queriesAtStart(project);
  if (migrate)
    return `migrations run before each new version starts (release_command in fly.toml)${why ? `, as ${why}` : ''}; --migrate no leaves them to you.`;
  if (why)
    return `you run migrations yourself after each deploy, but ${why}: the first deploy will fail. --migrate yes runs them before.`;
  return 'you run migrations yourself, after the first deploy and those with new ones; --migrate yes runs them on each deploy.';
}
