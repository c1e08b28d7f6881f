import { glibcReasons } from '../docker/packages.ts';
import { unnamedRelease } from '../docker/release-files.ts';
import { serverRepos } from '../facts/database.ts';
import type { Project } from '../facts/detect.ts';
import { queriesAtStart } from '../facts/start-queries.ts';
import type { AccountChoices } from '../fly/live.ts';
import { memoryOf } from '../fly/machine.ts';
import { isAppName, isHostName, toAppName } from '../fly/names.ts';
import { parsePostgres, postgresChoices, printPostgres } from '../fly/postgres.ts';
import { parseRegion, searchRegions } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import { type Flag, type FlagTexts, oneOf, parseFlag, parseYesNo } from './flags.ts';

export interface Choice {
  value: string;
  name: string;
}

/** The answers that the repo's files already give, as flags take them: see `present` of the descriptors. */
export type Present = { readonly [Name in QuestionName]?: string | undefined };

/**
 * A question, declared once: its prompt, flag, help, README row, errors and the type of its answer come from here.
 * `app` is the answer to the first question, `live` what flyctl says.
 */
interface Question<T> extends Flag {
  example: string;
  defaultText: string;
  /** The prompt; without it nobody is asked, and the question is only a flag. */
  message?: string;
  /** Nobody is asked where a file or a default answers it. */
  onlyIfUnanswered?: boolean;
  /** The answer where neither flag nor file gives one; undefined where it can't be known. */
  default: (project: Project, app: string) => string | undefined;
  /** @throws Problem on bad input */
  parse: (text: string, live?: AccountChoices) => T;
  /** The opposite of `parse`; without it yes and no for a boolean, else the answer as text. */
  print?: (answer: T) => string;
  /** The choices of a list that match a term; other text that `parse` takes can be typed as well. */
  search?: (term: string, project: Project, app: string, live: AccountChoices) => Choice[];
}

const question = <T>(row: Question<T>): Question<T> => row;

/** A parser that takes text as it is when it passes a test. */
const checked =
  (isValid: (text: string) => boolean, complaint: (text: string) => string) =>
  (text: string): string => {
    if (isValid(text)) return text;
    throw new Problem(`"${text}" ${complaint(text)}`);
  };

const parseHostName = checked(
  isHostName,
  () => 'is not a host name: give it without https:// and path, such as shop.example.com',
);

export const questions = {
  app: question({
    message: 'Fly app name?',
    help: 'name of the app on Fly.io: lower-case letters, digits and dashes',
    example: 'shop',
    defaultText: 'as in mix.exs',
    default: defaultAppName,
    parse: checked(
      isAppName,
      (name) =>
        `can't be a Fly app name: use 1 to 63 lower-case letters, digits and dashes, such as ${toAppName(name)}`,
    ),
  }),
  region: question({
    message: 'Region? (type a city, country or code)',
    help: 'Fly region near your users, by code or city',
    example: 'lhr',
    defaultText: 'asked',
    default: () => undefined,
    parse: (text, live) => parseRegion(text, live?.regions),
    search: (term, _project, _app, { regions }) =>
      searchRegions(term, regions).map(({ code, city, mpg }) => ({
        value: code,
        name: `${code}  ${city}${mpg ? '' : ' (no Managed Postgres)'}`,
      })),
  }),
  postgres: question({
    message: 'Postgres? (pick one, or type a name)',
    help: 'a Fly Postgres app by name (new or existing), managed, managed:CLUSTER_ID, external or none',
    example: 'shop-db',
    defaultText: 'APP-db',
    default: (project, app) =>
      ({ postgres: `${app}-db`, mysql: 'external', sqlite: 'none', none: 'none' })[
        project.database.adapter
      ],
    parse: parsePostgres,
    print: printPostgres,
    search: (term, _project, app, { databases }) => postgresChoices(term, `${app}-db`, databases),
  }),
  host: question({
    help: 'host name that visitors type; APP.fly.dev works as well',
    example: 'shop.example.com',
    defaultText: 'APP.fly.dev',
    default: (_project, app) => `${app}.fly.dev`,
    parse: (host) => parseHostName(host.toLowerCase()),
  }),
  release: question({
    message: 'Release?',
    onlyIfUnanswered: true,
    help: 'which release of mix.exs to build',
    example: 'shop',
    defaultText: 'the only or default one',
    default: (project) =>
      project.release.name ?? (project.release.names.length ? undefined : unnamedRelease(project)),
    parse: checked(
      (name) => /^[a-z][a-z0-9_]*$/.test(name),
      () => 'is no name of a release: lower-case letters, digits and _ as in mix.exs',
    ),
    search: (_term, project) => project.release.names.map((name) => ({ value: name, name })),
  }),
  base: question({
    help: 'alpine (small) or debian (for dependencies that need glibc)',
    example: 'alpine',
    defaultText: 'alpine, unless a dependency needs glibc',
    default: (project) => (glibcReasons(project).length ? 'debian' : 'alpine'),
    parse: oneOf(['alpine', 'debian'], 'a base image'),
  }),
  memory: question({
    help: 'memory of the machine: 256mb, 512mb, 1gb or 2gb',
    example: '1gb',
    defaultText: '1gb',
    default: () => '1gb',
    parse: parseMemory,
    print: (megabytes) => (megabytes % 1024 ? `${megabytes}mb` : `${megabytes / 1024}gb`),
  }),
  psql: question({
    help: 'psql in the image, for a look into the database: yes or no',
    example: 'yes',
    defaultText: 'yes with Postgres',
    default: (project) => (project.database.adapter === 'postgres' ? 'yes' : 'no'),
    parse: parseYesNo,
  }),
  migrate: question({
    help: 'run migrations on each deploy (release_command): yes or no',
    example: 'no',
    defaultText: 'no, unless it asks the database at its start',
    default: (project) => (serverRepos(project).length && queriesAtStart(project) ? 'yes' : 'no'),
    parse: parseYesNo,
  }),
  background: question({
    help: 'background work: one machine always on (yes), or stopped when idle (no)',
    example: 'yes',
    defaultText: 'yes where workers were found',
    default: (project) => (project.background.length ? 'yes' : 'no'),
    parse: parseYesNo,
  }),
};

export type QuestionName = keyof typeof questions;

/** Every answer, parsed. Memory is in megabytes. */
export type Answers = { [Name in QuestionName]: ReturnType<(typeof questions)[Name]['parse']> };

export const questionNames = Object.keys(questions) as QuestionName[];

/** A question whose answer's type doesn't matter. */
export const questionOf = (name: QuestionName): Question<unknown> =>
  questions[name] as Question<unknown>;

/** An answer as its flag takes it. */
export function printAnswer(name: QuestionName, answer: unknown): string {
  if (typeof answer === 'boolean') return answer ? 'yes' : 'no';
  const { print = String } = questionOf(name);
  return print(answer);
}

/** An umbrella is called as its own module: its web app is often just `web`. */
export function defaultAppName({ umbrella, projects: [root], app }: Project): string {
  const name = umbrella && root?.projectModule?.replace(/(\.Umbrella)?\.\w+$/, '');
  return toAppName(name ? name.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, '-') : app.otpApp);
}

/** What the files answer, else the default. */
export const suggestedAnswer = (
  name: QuestionName,
  project: Project,
  present: Present,
  app: string = defaultAppName(project),
): string | undefined => present[name] ?? questions[name].default(project, app);

/**
 * Parses the flags; what they leave open is answered by the files, else by a default.
 * @param asks the questions that must be answered
 * @throws Problem naming the flag that is missing or bad
 */
export function complete(
  texts: FlagTexts,
  project: Project,
  present: Present,
  asks: readonly QuestionName[] = questionNames,
  live?: AccountChoices,
): Answers {
  const answers: Partial<Record<QuestionName, unknown>> = {};
  for (const name of questionNames) {
    const app = answers.app as string | undefined;
    const text = texts[name] ?? suggestedAnswer(name, project, present, app);
    const answer = parseAnswer(name, text, live);
    if (answer === undefined && asks.includes(name)) throw new Problem(noAnswer(name, project));
    answers[name] = answer;
  }
  return answers as Answers;
}

function noAnswer(name: QuestionName, { release }: Project): string {
  const releases = name === 'release' ? release.names : [];
  const examples = releases.length ? releases : [questions[name].example];
  return `no answer to "${name}": pass ${examples.map((text) => `--${name} ${text}`).join(' or ')}`;
}

/** Parses the text of a flag, if there is one. @throws Problem that begins with the flag */
export const parseAnswer = (
  name: QuestionName,
  text: string | undefined,
  live?: AccountChoices,
): unknown => parseFlag(name, text, (answer) => questions[name].parse(answer.trim(), live));

/** Megabytes of memory. @throws Problem for an amount that a Fly machine can't have */
function parseMemory(text: string): number {
  const megabytes = memoryOf({ memory: text }) ?? 0;
  if (megabytes >= 256 && megabytes % 256 === 0) return megabytes;
  throw new Problem(
    `"${text}" is no memory size of a Fly machine: give 256mb to 2gb in steps of 256mb`,
  );
}
