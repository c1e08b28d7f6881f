import type { Project } from './facts/detect.ts';
import { Problem } from './problem.ts';

/** Refuses shapes that would come out half right, naming what was found. @throws Problem */
export function refuseUnsupported(project: Project): void {
  const found = [
    project.umbrella && 'an umbrella (apps_path in mix.exs)',
    project.appDir !== '.' && `the app in the subfolder ${project.appDir}; start there, or name it with --dest`,
    project.ectoAdapter === 'mysql' && 'a MySQL database',
    project.ectoAdapter === 'sqlite' && 'a SQLite database',
    project.packageJsons.length > 0 && `packages of Node (${project.packageJsons.join(', ')})`,
    project.privateDeps.length > 0 && `private dependencies (${project.privateDeps.join(', ')})`,
    project.pathDeps.length > 0 && `path dependencies (${project.pathDeps.join(', ')})`,
    project.releaseName === null && 'several releases without default_release in mix.exs',
    project.tree.paths.has('config/releases.exs') && 'config/releases.exs, which a runtime.exs would silence; rename it to config/runtime.exs first',
  ].filter(Boolean);
  if (found.length) throw new Problem(`this app has what phoenix-fly can't do right yet: ${found.join('; ')}. Nothing was written.`);
}
