import {
  installedPackages,
  readDockerfile,
  type Step,
  startSteps,
} from '../src/check/dockerfile-model.ts';
import { builderPackages, runnerPackages } from '../src/docker/packages.ts';
import type { Project } from '../src/facts/detect.ts';
import { type Base, chooseImage } from '../src/fly/images.ts';

/** Packages in any image of a release, by one name or another. */
const USUAL_PACKAGE =
  /^(libstdc\+\+6?|openssl|libssl.*|libcrypto.*|libncurses.*|ncurses.*|ca-certificates|locales|build-essential|build-base|git|libgcc.*|postgresql-client|libpq.*|nodejs|npm)$/;
/** Commands that ours has too, or that prepare those. */
const USUAL_COMMAND =
  /^(\w+=\S* *)*((npm|npx|yarn|pnpm|bun|corepack|apt|apt-get|apk|dpkg|rm|mkdir|cd|chmod|chown|sed|locale-gen|update-locale|localedef|adduser|useradd|addgroup|groupadd|usermod|set|export|test|true|echo|\[|then|else|fi)\b|$|mix (do|local\.\w+|(deps|assets|hex)\.\S+|archive\.install|compile|phx\.digest|(bun|esbuild|sass|tailwind)(\.install)?|sentry\.package_source_code|release)( |$))/;
const USUAL_VARIABLE =
  /^(LANG|LANGUAGE|LC_\w+|MIX_\w+|HEX_\w+|DEBIAN_FRONTEND|NODE_\w+|PATH|HOME|TERM|SHELL|PORT|PHX_SERVER|RELEASE_TMP|ECTO_IPV6|ERL_AFLAGS)$/;
const USUAL_START = /^(\S*\/)?bin\/\w+( (start|foreground))?$/;

/** What a Dockerfile of its owner's has and ours, in its place, hasn't. */
export function foreignNotes(project: Project, base: Base): string[] {
  const file = readDockerfile(project.tree.read('Dockerfile') ?? '');
  if (!file) return [];
  const runner = runnerPackages(project, base, chooseImage(project, base).otp, true);
  const ours = `${builderPackages(project, base)} ${runner}`.split(' ');
  const notes: string[] = [];
  const more = [...new Set(installedPackages(file.steps))].filter(
    (name) => !USUAL_PACKAGE.test(name) && !ours.includes(name),
  );
  if (more.length)
    notes.push(
      `Your Dockerfile installs ${more.join(', ')}, which this one doesn't: if the app starts or links to them, add them to the stage that needs them.`,
    );
  const starts = startSteps(file.final);
  const lines = new Map(
    file.steps.flatMap((step) =>
      unusual(step, starts.includes(step)).map((what) => [`${step.keyword} ${what}`, step.line]),
    ),
  );
  const others = [...lines]
    .sort(([, one], [, other]) => one - other)
    .map(([what, line]) => `${what} (line ${line})`);
  // What concerns the running app comes last in a Dockerfile
  const above = others.length > MOST ? ` and ${others.length - MOST} more above these` : '';
  if (others.length)
    notes.push(
      `Your Dockerfile also has ${others.slice(-MOST).join(', ')}${above}, which this one lacks: add what the app needs.`,
    );
  return notes;
}
const MOST = 6;

/** What of an instruction has no counterpart in ours. */
function unusual({ keyword, commands, pairs, words }: Step, starts: boolean): string[] {
  const start = (all: readonly string[], count: number) =>
    all.slice(0, count).join(' ').slice(0, 60);
  if (starts) return USUAL_START.test(words.join(' ')) ? [] : [start(words, 4)];
  if (keyword === 'ENV')
    return pairs.map(([name]) => name).filter((name) => !USUAL_VARIABLE.test(name));
  const command = commands.map((text) => text.trim()).find((text) => !USUAL_COMMAND.test(text));
  return command ? [start(command.replace(/^(\w+=\S* +)+/, '').split(/\s+/), 2)] : [];
}
