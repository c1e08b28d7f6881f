import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { oneOf, parseYesNo } from '../answers/parse.ts';
import {
  type Answers,
  complete,
  parseFlag,
  type Question,
  type QuestionName,
  questions,
} from '../answers/questions.ts';
import { detect, type Project } from '../facts/detect.ts';
import { validateFlyToml } from '../fly/flyctl.ts';
import { askAccount, type Live } from '../fly/live.ts';
import { type Change, type Context, kindOf, ON_CONFLICT, type OnConflict } from '../plan/file.ts';
import { plan } from '../plan/plan.ts';
import { refuseAnswers, refuseUnsupported } from '../plan/supported.ts';
import { Problem } from '../problem.ts';
import { openTree } from '../tree.ts';
import { apply } from '../write/apply.ts';
import { ask, prompts } from './ask.ts';
import { asksOf, type Generator, helpOf } from './generator.ts';
import { conflictsOf, diffOf, summaryOf } from './preview.ts';
import { report } from './report.ts';

/** One run of one generator, from flags to a plan that the user has seen. */
export interface Session {
  root: string;
  changes: Change[];
  /** Files in which what the user wrote won over ours. */
  kept: string[];
  answers: Answers;
  project: Project;
  /** What the user said to the diff. */
  write: boolean;
}

/**
 * Reads the flags, asks what is missing (only at a terminal), shows the diff and asks to write. Writes nothing.
 * @param dest folder of the app as given; undefined: found from the folder the command was started in
 * @throws Problem for anything the user can mend
 */
export async function prepare(
  generator: Generator,
  dest: string | undefined,
  args: string[],
): Promise<Session> {
  const { texts, write, conflict } = readFlags(generator, args);
  const atTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const top = await findRoot(dest, atTerminal);
  // Asked while the repo is read, and only for the sake of a question
  const account =
    atTerminal &&
    asksOf(generator).some(
      (name) => (questions[name] as Question).live && texts[name] === undefined,
    )
      ? askAccount()
      : undefined;
  const project = detect(openTree(top));
  const root = join(top, project.appDir);
  refuseUnsupported(project);
  const live: Live = atTerminal ? await ask(generator, project, texts, account) : {};
  const answers = complete(texts, project, asksOf(generator), live);
  refuseAnswers(project, answers, live.regions);
  const planned = await planAsking(generator, { project, answers }, conflict, atTerminal);
  const changes = planned.filter((change) => kindOf(change) !== 'same');
  const kept = planned.filter((change) => change.ours !== undefined).map((change) => change.path);
  if (changes.length)
    console.log(`\n${diffOf(changes, pc.isColorSupported)}\n${summaryOf(changes)}\n`);
  return {
    root,
    changes,
    kept,
    answers,
    project,
    write: changes.length > 0 && (write ?? (await confirm(changes, atTerminal))),
  };
}

/** The plan; at a terminal, conflicts are shown and asked about first. Without an answer, files with conflicts are left alone. */
async function planAsking(
  { files }: Generator,
  context: Context,
  conflict: OnConflict | undefined,
  atTerminal: boolean,
): Promise<Change[]> {
  const changes = plan(files, context, conflict);
  const conflicts = changes.filter((change) => change.ours !== undefined);
  if (conflicts.length === 0) return changes;
  console.log(`\n${conflictsOf(conflicts, pc.isColorSupported)}`);
  if (conflict || !atTerminal) return changes;
  const choices = [
    { value: 'leave', name: 'leave    the file stays as it is' },
    { value: 'merge', name: 'merge    what can be merged; where both changed, yours stays' },
    { value: 'replace', name: 'replace  yours by ours, as shown' },
  ];
  const { choice } = await (await prompts()).prompt<{ choice: OnConflict }>([
    { type: 'select', name: 'choice', message: 'What to do with the conflict?', choices },
  ]);
  return choice === 'leave' ? changes : plan(files, context, choice);
}

/** Writes what the user agreed to. @param command what was run, without flags of the generator: `npx plop fly --` @returns the lines of the report */
export function finish(
  generator: Generator,
  command: string,
  { root, changes, kept, answers, project, write }: Session,
): string[] {
  const after = [
    ...kept.map(
      (path) =>
        `${path} keeps what you wrote; \`check\` says what it lacks. To take ours instead: --conflict replace`,
    ),
    ...report(generator, command, project, answers),
  ];
  if (changes.length === 0)
    return [
      kept.length ? 'Nothing else to change.' : 'Nothing to change: the files already say this.',
      ...after,
    ];
  if (!write) return ['Nothing was written.'];
  apply(root, changes);
  const complaints = changes.some((change) => change.path === 'fly.toml')
    ? validateFlyToml(root)
    : [];
  return [
    `Wrote ${changes.map((change) => change.path).join(', ')}.`,
    ...complaints.map((line, index) =>
      index ? `  ${line}` : `fly config validate --strict says about fly.toml: ${line}`,
    ),
    ...after,
  ];
}

function readFlags(
  generator: Generator,
  args: string[],
): {
  texts: Partial<Record<QuestionName, string>>;
  write: boolean | undefined;
  conflict: OnConflict | undefined;
} {
  const asks = asksOf(generator);
  const names = [...asks, 'conflict', 'write'];
  const { tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const texts: Partial<Record<string, string>> = {};
  const positional = [...asks];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const name = positional.shift();
      if (!name)
        throw new Problem(
          `too many answers: "${token.value}"; ${generator.name} takes\n${helpOf(generator)}`,
        );
      texts[name] = token.value;
    } else if (token.kind === 'option') {
      if (!names.includes(token.name))
        throw new Problem(
          `${token.rawName} is no flag of ${generator.name}; it takes\n${helpOf(generator)}`,
        );
      if (token.value === undefined) throw new Problem(`${token.rawName} needs a value`);
      texts[token.name] = token.value;
    }
  }
  const { write, conflict, ...rest } = texts;
  for (const name of asks) if (rest[name] !== undefined) parseFlag(name, rest[name] ?? '');
  return {
    texts: rest,
    write: optional('write', write, parseYesNo),
    conflict: optional('conflict', conflict, (text) => oneOf(text, ON_CONFLICT, 'a way out')),
  };
}

function optional<T>(
  flag: string,
  text: string | undefined,
  parse: (text: string) => T,
): T | undefined {
  try {
    return text === undefined ? undefined : parse(text);
  } catch (error) {
    throw error instanceof Problem ? new Problem(`--${flag}: ${error.message}`) : error;
  }
}

/** `dest`, else the nearest folder at or above the starting one that holds mix.exs (an umbrella's root, if it is in one). */
export async function findRoot(dest: string | undefined, atTerminal: boolean): Promise<string> {
  if (dest !== undefined) {
    if (!existsSync(dest))
      throw new Problem(`there is no folder ${dest}: give the Phoenix app's folder with --dest`);
    return resolve(dest);
  }
  for (let folder = process.env.INIT_CWD ?? process.cwd(); ; folder = dirname(folder)) {
    const umbrella = resolve(folder, '../..');
    if (existsSync(join(folder, 'mix.exs')))
      return /\/apps\/[^/]+$/.test(folder) && existsSync(join(umbrella, 'mix.exs'))
        ? umbrella
        : folder;
    if (dirname(folder) === folder) break;
  }
  if (!atTerminal)
    throw new Problem(
      'no mix.exs here or above: name the Phoenix app with --dest, for example --dest ../shop',
    );
  const { folder } = await (await prompts()).prompt<{ folder: string }>([
    {
      type: 'input',
      name: 'folder',
      message: 'Folder of the Phoenix app?',
      validate: (text: string) =>
        existsSync(join(text.trim(), 'mix.exs')) || `there is no mix.exs in ${text}`,
    },
  ]);
  return resolve(folder.trim());
}

async function confirm(changes: readonly Change[], atTerminal: boolean): Promise<boolean> {
  const touched = changes
    .filter((change) => kindOf(change) === 'update')
    .map((change) => change.path);
  if (!atTerminal) {
    if (touched.length === 0) return true;
    throw new Problem(
      `${touched.join(', ')} would change: without a terminal, pass --write yes to allow it (or --write no to only see the diff)`,
    );
  }
  const { yes } = await (await prompts()).prompt<{ yes: boolean }>([
    {
      type: 'confirm',
      name: 'yes',
      message: `Write ${changes.length} file${changes.length === 1 ? '' : 's'}?`,
      default: false,
    },
  ]);
  return yes;
}
