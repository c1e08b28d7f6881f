import { glibcReasons } from '../docker/packages.ts';
import { releaseFor } from '../docker/release-files.ts';
import type { Project } from '../facts/detect.ts';
import { flyConfig } from '../fly/fly-config.ts';
import type { Base } from '../fly/images.ts';
import type { Live } from '../fly/live.ts';
import { isAppName, isHostName, toAppName } from '../fly/names.ts';
import { type Postgres, parsePostgres, postgresChoices, printPostgres } from '../fly/postgres.ts';
import { parseRegion, searchRegions } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import {
  alwaysOn,
  builtRelease,
  sameApp,
  vmMemory,
  writtenBase,
  writtenDatabase,
  writtenPsql,
} from './existing.ts';
import { oneOf, parseMemory, parseYesNo } from './parse.ts';

/** Every answer, parsed. */
export interface Answers {
  app: string;
  region: string;
  postgres: Postgres;
  host: string;
  base: Base;
  release: string;
  /** Megabytes. */
  memory: number;
  psql: boolean;
  migrate: boolean;
  background: boolean;
}

export type QuestionName = keyof Answers;

export interface Choice {
  value: string;
  name: string;
}

/**
 * One question, declared once: the prompt, the flag, the help, the README row and the errors come from it.
 * `asked`: always at a terminal, only when its file is generated alone, or only when it has no default (a flag).
 */
export interface Question<T = unknown> {
  message: string;
  help: string;
  example: string;
  asked: 'always' | 'alone' | 'flag';
  /** What is offered; undefined when it can't be known. Sees the answers before it, in table order. */
  default: (project: Project, sofar: Partial<Answers>) => string | undefined;
  /** @throws Problem on bad input */
  parse: (text: string, live?: Live) => T;
  print: (answer: T) => string;
  /** For a list that can be searched by typing; free text that `parse` takes is offered too. */
  search?: (term: string, project: Project, sofar: Partial<Answers>, live: Live) => Choice[];
  /** What the account has belongs to the choices: worth asking flyctl. */
  live?: boolean;
}

const yesNo = {
  parse: parseYesNo,
  print: (answer: boolean) => (answer ? 'yes' : 'no'),
  search: () => [
    { value: 'yes', name: 'yes' },
    { value: 'no', name: 'no' },
  ],
};

export const questions: { [Name in QuestionName]: Question<Answers[Name]> } = {
  app: {
    message: 'Fly app name?',
    help: 'name of the app on Fly.io: lower-case letters, digits and dashes',
    example: 'shop',
    asked: 'always',
    default: (project) => flyConfig(project.tree).app ?? toAppName(project.app.otpApp),
    parse: (text) => {
      if (isAppName(text.trim())) return text.trim();
      throw new Problem(
        `"${text}" can't be a Fly app name: use 1 to 63 lower-case letters, digits and dashes, such as ${toAppName(text)}`,
      );
    },
    print: String,
  },
  region: {
    message: 'Region? (type a code or a city)',
    help: 'Fly region near your users, by code or city',
    example: 'lhr',
    asked: 'always',
    default: (project) => flyConfig(project.tree).region,
    parse: (text, live) => parseRegion(text, live?.regions),
    print: String,
    live: true,
    search: (term, _project, _sofar, { regions }) =>
      searchRegions(term, regions).map(({ code, city, mpg }) => ({
        value: code,
        name: `${code}  ${city}${mpg ? '' : ' (no Managed Postgres)'}`,
      })),
  },
  postgres: {
    message: 'Postgres cluster? (pick one, or type the name of a Fly Postgres app)',
    help: 'a Fly Postgres app by name (new or existing), managed, managed:CLUSTER_ID, external or none',
    example: 'shop-db',
    asked: 'always',
    default: (project, { app }) =>
      writtenDatabase(project) ??
      {
        postgres: `${app ?? toAppName(project.app.otpApp)}-db`,
        mysql: 'external',
        sqlite: 'none',
        none: 'none',
      }[project.database.adapter],
    parse: parsePostgres,
    print: printPostgres,
    live: true,
    search: (term, project, { app }, { databases }) =>
      postgresChoices(term, `${app ?? toAppName(project.app.otpApp)}-db`, databases),
  },
  host: {
    message: 'Host name of the site?',
    help: 'host name that visitors type; APP.fly.dev works as well',
    example: 'shop.example.com',
    asked: 'flag',
    default: (project, { app }) => sameApp(project, app) ?? `${app}.fly.dev`,
    parse: (text) => {
      const host = text.trim().toLowerCase();
      if (isHostName(host)) return host;
      throw new Problem(
        `"${text}" is not a host name: give it without https:// and path, such as shop.example.com`,
      );
    },
    print: String,
  },
  release: {
    message: 'Release?',
    help: 'which release of mix.exs to build',
    example: 'shop',
    asked: 'flag',
    default: (project) =>
      builtRelease(project) ??
      project.release.name ??
      (project.release.names.length ? undefined : releaseFor(project)),
    parse: (text) => {
      if (/^[a-z][a-z0-9_]*$/.test(text.trim())) return text.trim();
      throw new Problem(
        `"${text}" is no name of a release: lower-case letters, digits and _ as in mix.exs`,
      );
    },
    print: String,
    search: (_term, project) => project.release.names.map((name) => ({ value: name, name })),
  },
  base: {
    message: 'Base image?',
    help: 'alpine (small) or debian (for dependencies that need glibc)',
    example: 'alpine',
    asked: 'alone',
    default: (project) =>
      writtenBase(project) ?? (glibcReasons(project).length ? 'debian' : 'alpine'),
    parse: (text) => oneOf(text, ['alpine', 'debian'] as const, 'a base image'),
    print: String,
    search: () => [
      { value: 'alpine', name: 'alpine  small (official Elixir image)' },
      { value: 'debian', name: 'debian  for dependencies that need glibc' },
    ],
  },
  memory: {
    message: 'Memory of the machine?',
    help: 'memory of the machine: 256mb, 512mb, 1gb or 2gb',
    example: '1gb',
    asked: 'flag',
    default: (project) => vmMemory(project) ?? '1gb',
    parse: parseMemory,
    print: (megabytes) => (megabytes % 1024 ? `${megabytes}mb` : `${megabytes / 1024}gb`),
  },
  psql: {
    message: 'Put psql into the image?',
    help: 'psql in the image, for a look into the database: yes or no',
    example: 'yes',
    asked: 'flag',
    default: (project) =>
      project.database.adapter === 'postgres' && writtenPsql(project) !== false ? 'yes' : 'no',
    ...yesNo,
  },
  migrate: {
    message: 'Migrate the database on each deploy?',
    help: 'run migrations on each deploy (release_command): yes or no',
    example: 'no',
    asked: 'flag',
    default: (project) => (flyConfig(project.tree).deploy.release_command ? 'yes' : 'no'),
    ...yesNo,
  },
  background: {
    message: 'Does it do work in the background that must always run?',
    help: 'background work: one machine always on (yes), or stopped when idle (no)',
    example: 'yes',
    asked: 'flag',
    default: (project) => alwaysOn(project) ?? (project.background.length ? 'yes' : 'no'),
    ...yesNo,
  },
};

export const questionNames = Object.keys(questions) as QuestionName[];

/** `--conflict` and `--write` are not about the content of a file, so they stand apart. */
export const CONFLICT_HELP =
  'where your edits and ours collide: leave the file (default), merge (yours win), or replace';
export const WRITE_HELP = 'yes: write without asking; no: only show the diff';

/**
 * Parses flag texts and fills what is missing from defaults. What is not in `asks` may stay unanswered.
 * @throws Problem naming the flag that is missing or bad
 */
export function complete(
  texts: Readonly<Partial<Record<QuestionName, string>>>,
  project: Project,
  asks: readonly QuestionName[] = questionNames,
  live?: Live,
): Answers {
  const answers: Partial<Record<QuestionName, unknown>> = {};
  for (const name of questionNames) {
    const question = questions[name] as Question;
    const text = texts[name] ?? question.default(project, answers as Partial<Answers>);
    if (text === undefined && !asks.includes(name)) continue;
    if (text === undefined)
      throw new Problem(
        `no answer to "${question.message}": pass --${name}, for example --${name} ${question.example}`,
      );
    answers[name] = parseFlag(name, text, live);
  }
  return answers as unknown as Answers;
}

/** Parses one flag's text. @throws Problem that starts with the flag */
export function parseFlag(name: QuestionName, text: string, live?: Live): unknown {
  try {
    return questions[name].parse(text, live);
  } catch (error) {
    throw error instanceof Problem ? new Problem(`--${name}: ${error.message}`) : error;
  }
}
