import { get } from '../elixir/value.ts';
import type { Project } from '../facts/detect.ts';

const options = (project: Project, release: string) => project.projects[0]?.releaseOptions.get(release);

/** Where `mix release` takes env.sh.eex from: rel/, unless mix.exs says otherwise. */
export function relFolder(project: Project, release: string): string {
  const path = get(options(project, release), 'rel_templates_path');
  return typeof path === 'string' && /^[\w./-]+$/.test(path) && !path.startsWith('/') && !path.includes('..') ? path.replace(/^\.\/|\/$/g, '') : 'rel';
}

/** Whether the release brings the Erlang VM along, as it does unless told otherwise. */
export const includesErts = (project: Project, release: string): boolean => get(options(project, release), 'include_erts') !== false;

/** What an umbrella's release is called that has no name yet. */
export const releaseFor = (project: Project): string => project.otpApp.replace(/_web$/, '') || project.otpApp;
