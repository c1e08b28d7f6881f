import { includesErts } from '../docker/release-files.ts';
import { serverRepos } from '../facts/database.ts';
import type { Project } from '../facts/detect.ts';
import { secretImport } from '../facts/secret-import.ts';
import { type Region, refuseUnmanaged } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import type { Answers } from './questions.ts';

/** Refuses apps for which the files would come out half right. @throws Problem that says what is in the way, and what to do */
export function refuseUnsupported(project: Project): void {
  const reasons: string[] = [];
  if (project.database.adapter === 'sqlite')
    reasons.push(
      'its database is SQLite, whose file needs a Fly volume, which belongs to root, while the image runs as nobody: deploy it with `fly launch`, or move to Postgres',
    );
  const secret = secretImport(project);
  if (secret)
    reasons.push(
      `${secret.importer} imports ${secret.file}, which should not get into an image: move its settings to config/runtime.exs, read from System.get_env there, and delete the import`,
    );
  for (const { name, dir } of project.deps.pathSources)
    if (dir === null)
      reasons.push(
        `the dependency ${name} is above the app's folder, where a Docker build can't read it: move it into the app, or make it a git dependency`,
      );
  if (reasons.length) throw new Problem(`${reasons.join('; ')}. Nothing was written.`);
}

/**
 * Refuses answers that contradict the repo or each other.
 * @param regions what flyctl says; without it the dated table is used
 * @throws Problem that names the flag
 */
export function refuseAnswers(
  project: Project,
  { release, postgres, region }: Partial<Answers>,
  regions?: readonly Region[],
): void {
  const { name, names } = project.release;
  // An umbrella without releases gets one, whatever its name
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
  // A cluster that exists may be in another region
  if (region && postgres?.kind === 'managed' && postgres.cluster === null)
    refuseUnmanaged(region, regions);
}
