import { includesErts } from '../docker/release-files.ts';
import type { Project } from '../facts/detect.ts';
import { serverRepos } from '../facts/project.ts';
import { type Region, refuseUnmanaged } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import { below } from '../tree.ts';
import type { Answers } from './questions.ts';

/** Refuses shapes that would come out half right, naming what was found and what to do. @throws Problem */
export function refuseUnsupported(project: Project): void {
  const secret = secretImport(project);
  const found = [
    project.database.adapter === 'sqlite' &&
      'its database is SQLite, whose file needs a Fly volume, which belongs to root, while the image runs as nobody: deploy it with `fly launch`, or move to Postgres',
    secret &&
      `${secret.by} imports ${secret.file}, which should not get into an image: move its settings to config/runtime.exs, read from System.get_env there, and delete the import`,
    ...project.deps.pathSources
      .filter(({ dir }) => dir === null)
      .map(
        ({ name }) =>
          `the dependency ${name} is above the app's folder, where a Docker build can't read it: move it into the app, or make it a git dependency`,
      ),
  ].filter(Boolean);
  if (found.length) throw new Problem(`${found.join('; ')}. Nothing was written.`);
}

/** Refuses answers that fit neither the repo nor each other. @throws Problem */
export function refuseAnswers(
  project: Project,
  { release, postgres, region }: Partial<Answers>,
  regions?: readonly Region[],
): void {
  const { name, names } = project.release;
  // An umbrella without releases gets one, under any name
  const releases = names.length || project.umbrella || !name ? names : [name];
  if (release !== undefined && releases.length && !releases.includes(release))
    throw new Problem(
      `--release: mix.exs has no release ${release}; it has ${releases.join(', ')}`,
    );
  if (release !== undefined && !includesErts(project, release))
    throw new Problem(
      `the release ${release} has no Erlang in it (include_erts: false in mix.exs), and neither has the image; remove that option, then run again`,
    );
  if (
    project.database.adapter === 'mysql' &&
    (postgres?.kind === 'app' || postgres?.kind === 'managed')
  )
    throw new Problem(
      `--postgres: the app's database is MySQL, which Fly doesn't offer; answer external and set its DATABASE_URL`,
    );
  const [repo] = serverRepos(project);
  if (postgres?.kind === 'none' && repo)
    throw new Problem(
      `--postgres none: the app has a database, as ${repo} says; answer a Fly Postgres app's name, managed, or external for one outside Fly`,
    );
  // A cluster that is there may lie in another region
  if (region && postgres?.kind === 'managed' && postgres.cluster === null)
    refuseUnmanaged(region, regions);
}

const SECRET_IMPORT = /^import_config[ (]+"([^"]*secret[^"]*)"/m;
const SECRET_VALUE = /(secret|password|token|salt|key|url|dsn)\w*: *"/;

/** Secret settings that a prod.exs, an umbrella app's too, imports whatever happens; a committed file that only reads the environment holds none. */
function secretImport({ projects, tree }: Project): { by: string; file: string } | undefined {
  return projects
    .map(({ dir }) => below(dir, 'config/prod.exs'))
    .map((by) => ({ by, file: SECRET_IMPORT.exec(tree.read(by) ?? '')?.[1] ?? '' }))
    .find(({ by, file }) => {
      const text = file && tree.read(by.replace(/[^/]*$/, file));
      const readsOnly =
        text && /System\.(get_env|fetch_env)/.test(text) && !SECRET_VALUE.test(text);
      return file && !readsOnly;
    });
}
