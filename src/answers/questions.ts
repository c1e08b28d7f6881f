import { glibcReasons } from '../docker/packages.ts';
import { releaseFor } from '../docker/release-files.ts';
import type { Project } from '../facts/detect.ts';
import { serverRepos } from '../facts/project.ts';
import { queriesAtStart } from '../facts/start-queries.ts';
import type { Live } from '../fly/live.ts';
import { isAppName, isHostName, toAppName } from '../fly/names.ts';
import { parsePostgres, postgresChoices, printPostgres } from '../fly/postgres.ts';
import { parseRegion, searchRegions } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import { type Flag, named, type Texts } from './flags.ts';
import { oneOf, parseMemory, parseYesNo } from './parse.ts';

export interface Choice {
  value: string;
  name: string;
}

/** Texts that the files there already answer with: see `present` of the descriptors. */
export type Present = { readonly [Name in QuestionName]?: string | undefined };

/**
 * One question, declared once: the prompt, the flag, the help, the README row, the errors and the answer's type come from it.
 * `asked`: always at a terminal, only when its file is generated alone, or only when it has no default (a flag).
 */
export interface Question<T> extends Flag {
  message: string;
  example: string;
  fallback: string;
  asked: 'always' | 'alone' | 'flag';
  /** What is offered where no file answers yet; undefined when it can't be known. `app`: the answer to the first question. */
  default: (project: Project, app: string) => string | undefined;
  /** @throws Problem on bad input */
  parse: (text: string, live?: Live) => T;
  print: (answer: T) => string;
  /** For a list that can be searched by typing; free text that `parse` takes is offered too. */
  search?: (term: string, project: Project, app: string, live: Live) => Choice[];
  /** What the account has belongs to the choices: worth asking flyctl. */
  live?: boolean;
}

const question = <T>(row: Question<T>): Question<T> => row;

const yesNo = {
  parse: parseYesNo,
  print: (answer: boolean) => (answer ? 'yes' : 'no'),
  search: () => [
    { value: 'yes', name: 'yes' },
    { value: 'no', name: 'no' },
  ],
};

export const questions = {
  app: question({
    message: 'Fly app name?',
    help: 'name of the app on Fly.io: lower-case letters, digits and dashes',
    example: 'shop',
    fallback: 'as in mix.exs',
    asked: 'always',
    default: (project) => toAppName(project.app.otpApp),
    parse: (text) => {
      if (isAppName(text.trim())) return text.trim();
      throw new Problem(
        `"${text}" can't be a Fly app name: use 1 to 63 lower-case letters, digits and dashes, such as ${toAppName(text)}`,
      );
    },
    print: String,
  }),
  region: question({
    message: 'Region? (type a city, country or code)',
    help: 'Fly region near your users, by code or city',
    example: 'lhr',
    fallback: 'asked',
    asked: 'always',
    default: () => undefined,
    parse: (text, live) => parseRegion(text, live?.regions),
    print: String,
    live: true,
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
    fallback: 'APP-db',
    asked: 'always',
    default: (project, app) =>
      ({ postgres: `${app}-db`, mysql: 'external', sqlite: 'none', none: 'none' })[
        project.database.adapter
      ],
    parse: parsePostgres,
    print: printPostgres,
    live: true,
    search: (term, _project, app, { databases }) => postgresChoices(term, `${app}-db`, databases),
  }),
  host: question({
    message: 'Host name of the site?',
    help: 'host name that visitors type; APP.fly.dev works as well',
    example: 'shop.example.com',
    fallback: 'APP.fly.dev',
    asked: 'flag',
    default: (_project, app) => `${app}.fly.dev`,
    parse: (text) => {
      const host = text.trim().toLowerCase();
      if (isHostName(host)) return host;
      throw new Problem(
        `"${text}" is not a host name: give it without https:// and path, such as shop.example.com`,
      );
    },
    print: String,
  }),
  release: question({
    message: 'Release?',
    help: 'which release of mix.exs to build',
    example: 'shop',
    fallback: 'the only or default one',
    asked: 'flag',
    default: (project) =>
      project.release.name ?? (project.release.names.length ? undefined : releaseFor(project)),
    parse: (text) => {
      if (/^[a-z][a-z0-9_]*$/.test(text.trim())) return text.trim();
      throw new Problem(
        `"${text}" is no name of a release: lower-case letters, digits and _ as in mix.exs`,
      );
    },
    print: String,
    search: (_term, project) => project.release.names.map((name) => ({ value: name, name })),
  }),
  base: question({
    message: 'Base image?',
    help: 'alpine (small) or debian (for dependencies that need glibc)',
    example: 'alpine',
    fallback: 'alpine, unless a dependency needs glibc',
    asked: 'alone',
    default: (project) => (glibcReasons(project).length ? 'debian' : 'alpine'),
    parse: (text) => oneOf(text, ['alpine', 'debian'] as const, 'a base image'),
    print: String,
    search: () => [
      { value: 'alpine', name: 'alpine  small (official Elixir image)' },
      { value: 'debian', name: 'debian  for dependencies that need glibc' },
    ],
  }),
  memory: question({
    message: 'Memory of the machine?',
    help: 'memory of the machine: 256mb, 512mb, 1gb or 2gb',
    example: '1gb',
    fallback: '1gb',
    asked: 'flag',
    default: () => '1gb',
    parse: parseMemory,
    print: (megabytes) => (megabytes % 1024 ? `${megabytes}mb` : `${megabytes / 1024}gb`),
  }),
  psql: question({
    message: 'Put psql into the image?',
    help: 'psql in the image, for a look into the database: yes or no',
    example: 'yes',
    fallback: 'yes with Postgres',
    asked: 'flag',
    default: (project) => (project.database.adapter === 'postgres' ? 'yes' : 'no'),
    ...yesNo,
  }),
  migrate: question({
    message: 'Migrate the database on each deploy?',
    help: 'run migrations on each deploy (release_command): yes or no',
    example: 'no',
    fallback: 'no, unless it asks the database at its start',
    asked: 'flag',
    default: (project) => (serverRepos(project).length && queriesAtStart(project) ? 'yes' : 'no'),
    ...yesNo,
  }),
  background: question({
    message: 'Does it do work in the background that must always run?',
    help: 'background work: one machine always on (yes), or stopped when idle (no)',
    example: 'yes',
    fallback: 'yes where workers were found',
    asked: 'flag',
    default: (project) => (project.background.length ? 'yes' : 'no'),
    ...yesNo,
  }),
};

export type QuestionName = keyof typeof questions;

/** Every answer, parsed. Memory is in megabytes. */
export type Answers = { [Name in QuestionName]: ReturnType<(typeof questions)[Name]['parse']> };

export const questionNames = Object.keys(questions) as QuestionName[];

/** A row of the table, whatever its answer's type. */
export const questionOf = (name: QuestionName): Question<unknown> =>
  questions[name] as Question<unknown>;

/** What is offered for a question: what the files there say, else its default. */
export const offered = (
  name: QuestionName,
  project: Project,
  present: Present,
  sofar: Partial<Answers>,
): string | undefined =>
  present[name] ?? questions[name].default(project, sofar.app ?? toAppName(project.app.otpApp));

/**
 * Parses the flags' texts and fills what is missing from what the files say and from defaults. What is not in `asks` may stay unanswered.
 * @throws Problem naming the flag that is missing or bad
 */
export function complete(
  texts: Texts,
  project: Project,
  present: Present,
  asks: readonly QuestionName[] = questionNames,
  live?: Live,
): Answers {
  const answers: Partial<Record<QuestionName, unknown>> = {};
  for (const name of questionNames) {
    const text = texts[name] ?? offered(name, project, present, answers as Partial<Answers>);
    if (text === undefined && asks.includes(name)) throw new Problem(noAnswer(name, project));
    if (text !== undefined) answers[name] = parseAnswer(name, text, live);
  }
  return answers as unknown as Answers;
}

function noAnswer(name: QuestionName, project: Project): string {
  const { message, example } = questions[name];
  const { names } = project.release;
  const examples = name === 'release' && names.length ? names : [example];
  return `no answer to "${message}": pass ${examples.map((one) => `--${name} ${one}`).join(' or ')}`;
}

/** Parses one answer. @throws Problem that starts with the flag */
export const parseAnswer = (name: QuestionName, text: string, live?: Live): unknown =>
  named(name, () => questions[name].parse(text, live));
