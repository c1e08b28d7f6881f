import { installedPackages, readDockerfile } from '../src/check/dockerfile-model.ts';
import { builderPackages, runnerPackages } from '../src/docker/packages.ts';
import type { Project } from '../src/facts/detect.ts';
import { type Base, chooseImage } from '../src/fly/images.ts';

/** What any image of a release has, by one name or another. */
const USUAL_PACKAGE =
  /^(lib(crypto|gcc|ncurses|pq|ssl)|ncurses)|^(build-base|build-essential|ca-certificates|git|libstdc\+\+6?|locales|nodejs|npm|openssl|postgresql-client)$/;

/** Packages that the owner's Dockerfile installs and ours, in its place, doesn't. */
export function foreignNotes(project: Project, base: Base): string[] {
  const steps = readDockerfile(project.tree.read('Dockerfile') ?? '')?.steps ?? [];
  const runner = runnerPackages(project, base, chooseImage(project, base).otp, true);
  const ours = `${builderPackages(project, base)} ${runner}`.split(' ');
  const names = [...new Set(installedPackages(steps))];
  const unusual = names.filter((name) => !USUAL_PACKAGE.test(name) && !ours.includes(name));
  if (unusual.length === 0) return [];
  return [
    `Your Dockerfile installs ${unusual.join(', ')}, which this one doesn't: if the app starts or links to them, add them to the stage that needs them.`,
  ];
}
