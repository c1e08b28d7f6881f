import {
  type Dockerfile,
  packages,
  readDockerfile,
  type Step,
  startSteps,
} from '../src/check/dockerfile-model.ts';
import type { Project } from '../src/facts/detect.ts';

/** Packages in any image of a release, by one name or another. */
const USUAL_PACKAGE =
  /^(libstdc\+\+6?|openssl|libssl.*|libcrypto.*|libncurses.*|ncurses.*|ca-certificates|locales|build-essential|build-base|git|libgcc.*|postgresql-client|libpq.*|nodejs|npm)$/;
/** Commands that ours has too, or that prepare those. */
const USUAL_COMMAND =
  /^(\w+=\S* *)*((npm|npx|yarn|pnpm|bun|corepack|apt|apt-get|apk|dpkg|rm|mkdir|cd|chmod|chown|sed|locale-gen|update-locale|localedef|adduser|useradd|addgroup|groupadd|usermod|set|export|test|true|echo|\[|then|else|fi)\b|$|mix (do|local\.\w+|(deps|assets|hex)\.\S+|archive\.install|compile|phx\.digest|(bun|esbuild|sass|tailwind)(\.install)?|sentry\.package_source_code|release)( |$))/;
const USUAL_VARIABLE =
  /^(LANG|LANGUAGE|LC_\w+|MIX_\w+|HEX_\w+|DEBIAN_FRONTEND|NODE_\w+|PATH|HOME|TERM|SHELL|PORT|PHX_SERVER|RELEASE_TMP|ECTO_IPV6|ERL_AFLAGS)$/;
const USUAL_START = /^(\S*\/)?bin\/\w+( (start|foreground))?$/;

/** What a Dockerfile of its owner's has and ours, in its place, hasn't. @param ours names of packages */
export function foreignNotes({ tree }: Project, ours: readonly string[]): string[] {
  const file = readDockerfile(tree.read('Dockerfile') ?? '');
  if (!file) return [];
  const notes: string[] = [];
  const more = [...new Set(packages(file.steps))].filter(
    (name) => !USUAL_PACKAGE.test(name) && !ours.includes(name),
  );
  if (more.length)
    notes.push(
      `Your Dockerfile installs ${more.join(', ')}, which this one doesn't: if the app starts or links to them, add them to the stage that needs them.`,
    );
  const others = otherLines(file);
  if (others.length)
    notes.push(
      `Your Dockerfile also has ${listed(others)}, which this one lacks: add what the app needs.`,
    );
  return notes;
}

/** Its lines without a counterpart in ours, and what is in them. */
function otherLines(file: Dockerfile): string[] {
  const starts = startSteps(file.final);
  const lines = new Map<string, number>();
  for (const step of file.steps)
    for (const what of starts.includes(step) ? unusualStart(step) : unusual(step)) {
      const name = `${step.keyword} ${what}`;
      lines.delete(name);
      lines.set(name, step.line);
    }
  return [...lines].map(([what, line]) => `${what} (line ${line})`);
}

function unusual({ keyword, commands, pairs }: Step): string[] {
  if (keyword === 'ENV')
    return pairs.map(([name]) => name).filter((name) => !USUAL_VARIABLE.test(name));
  const command = commands.map((text) => text.trim()).find((text) => !USUAL_COMMAND.test(text));
  const words = command?.replace(/^(\w+=\S* +)+/, '').split(/\s+/);
  return words ? [start(words, 2)] : [];
}

const unusualStart = ({ words }: Step): string[] =>
  USUAL_START.test(words.join(' ')) ? [] : [start(words, 4)];

const start = (words: readonly string[], count: number): string =>
  words.slice(0, count).join(' ').slice(0, 60);

/** What concerns the running app comes last in a Dockerfile. */
const MOST = 6;
function listed(items: readonly string[]): string {
  const before = items.length - MOST;
  return items.slice(-MOST).join(', ') + (before > 0 ? ` and ${before} more above these` : '');
}
