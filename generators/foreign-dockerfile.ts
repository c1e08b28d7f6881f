import {
  type Dockerfile,
  installedPackages,
  readDockerfile,
  type Step,
  startSteps,
} from '../src/check/dockerfile-model.ts';
import { builderPackages, runnerPackages } from '../src/docker/packages.ts';
import type { Project } from '../src/facts/detect.ts';
import { type Base, chooseImage } from '../src/fly/images.ts';

/** What any image of a release has or sets up, by one name or another. */
const USUAL_PACKAGE =
  /^(lib(crypto|gcc|ncurses|pq|ssl)|ncurses)|^(build-base|build-essential|ca-certificates|git|libstdc\+\+6?|locales|nodejs|npm|openssl|postgresql-client)$/;
const USUAL_VARIABLE =
  /^(HEX|LC|MIX|NODE)_|^(DEBIAN_FRONTEND|ECTO_IPV6|ERL_AFLAGS|HOME|LANG|LANGUAGE|PATH|PHX_SERVER|PORT|RELEASE_TMP|SHELL|TERM)$/;
const USUAL_TASK =
  /^(archive|assets|bun|deps|esbuild|hex|local|sass|tailwind)\b|^(compile|do|phx\.digest|release|sentry\.package_source_code)$/;
const USUAL_PROGRAMS = new Set(
  `npm npx yarn pnpm bun corepack apt apt-get apk dpkg rm mkdir cd chmod chown sed locale-gen update-locale localedef
  adduser useradd addgroup groupadd usermod set export test true echo [ then else fi`.split(/\s+/),
);
const USUAL_START = /^(\S*\/)?bin\/\w+( (start|foreground))?$/;

const MOST_LINES = 6;

/** What the owner's Dockerfile has and ours, in its place, hasn't. */
export function foreignNotes(project: Project, base: Base): string[] {
  const file = readDockerfile(project.tree.read('Dockerfile') ?? '');
  if (!file) return [];
  const notes: string[] = [];
  const packages = unusualPackages(file, project, base);
  if (packages.length)
    notes.push(
      `Your Dockerfile installs ${packages.join(', ')}, which this one doesn't: if the app starts or links to them, add them to the stage that needs them.`,
    );
  const lines = unusualLines(file);
  // What concerns the running app comes last in a Dockerfile
  const shown = lines.slice(-MOST_LINES);
  const hidden = lines.length - shown.length;
  if (lines.length)
    notes.push(
      `Your Dockerfile also has ${shown.join(', ')}${hidden ? ` and ${hidden} more above these` : ''}, which this one lacks: add what the app needs.`,
    );
  return notes;
}

function unusualPackages({ steps }: Dockerfile, project: Project, base: Base): string[] {
  const runner = runnerPackages(project, base, chooseImage(project, base).otp, true);
  const ours = `${builderPackages(project, base)} ${runner}`.split(' ');
  const names = [...new Set(installedPackages(steps))];
  return names.filter((name) => !USUAL_PACKAGE.test(name) && !ours.includes(name));
}

/** "RUN mix run (line 4)", by line; what stands in several lines, with the last of them. */
function unusualLines({ final, steps }: Dockerfile): string[] {
  const starts = startSteps(final);
  const lines = new Map<string, number>();
  for (const step of steps)
    for (const part of unusualParts(step, starts.includes(step)))
      lines.set(`${step.keyword} ${part}`, step.line);
  const byLine = [...lines].sort(([, line], [, nextLine]) => line - nextLine);
  return byLine.map(([text, line]) => `${text} (line ${line})`);
}

/** The first words of a start, the names of variables, or the first words of a command. */
function unusualParts(step: Step, isStart: boolean): string[] {
  if (isStart) return USUAL_START.test(step.words.join(' ')) ? [] : [firstWords(step.words, 4)];
  if (step.keyword === 'ENV')
    return step.pairs.map(([name]) => name).filter((name) => !USUAL_VARIABLE.test(name));
  const commands = step.commands.map((text) => text.trim());
  // `ARCH=$(dpkg --print-architecture)` runs dpkg; parentheses are no part of commands
  const unusual = commands.find(
    (text) => !isUsual(withoutVariables(text)) && !isUsual(text.replace(/^\w+=\$/, '')),
  );
  return unusual ? [firstWords(withoutVariables(unusual).split(/\s+/), 2)] : [];
}

const withoutVariables = (command: string): string => command.replace(/^(\w+=\S* *)+/, '');

function isUsual(command: string): boolean {
  const [program = '', task = ''] = command.split(/\s+/);
  if (program === 'mix') return USUAL_TASK.test(task);
  return program === '' || USUAL_PROGRAMS.has(program);
}

const firstWords = (words: readonly string[], count: number): string =>
  words.slice(0, count).join(' ').slice(0, 60);
