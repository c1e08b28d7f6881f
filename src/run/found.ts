import type { Project } from '../facts/detect.ts';

const DATABASES = { postgres: 'Postgres', mysql: 'MySQL', sqlite: 'SQLite', none: 'no database' };

/** What was found in the repo, in one line. */
export function foundLine({
  app,
  phoenix,
  database,
  background,
  elixir,
  umbrella,
}: Project): string {
  const version = (name: string, number: string | null) => (number ? `${name} ${number}` : name);
  const workers = background.slice(0, 3).join(', ') + (background.length > 3 ? ', …' : '');
  const parts = [
    version('Phoenix', phoenix.version) + (umbrella ? ' umbrella' : ''),
    ...(phoenix.liveView ? ['LiveView'] : []),
    DATABASES[database.adapter],
    background.length ? `always on for ${workers}` : 'nothing in the background',
    ...(elixir.version ? [`Elixir ${elixir.version} from ${elixir.source ?? 'mix.exs'}`] : []),
  ];
  return `Found ${app.otpApp}: ${parts.join(', ')}.`;
}
