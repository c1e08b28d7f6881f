import { Repo } from '../check/repo.ts';
import { access, buildVariables } from '../docker/secrets.ts';
import { secretsToSet } from '../fly/secrets.ts';
import type { Section, StepContext } from './steps.ts';

interface Value {
  name: string;
  why: string;
}

/** Set by steps of their own, or by the files that are written. */
const OURS = ['SECRET_KEY_BASE', 'DATABASE_URL', 'PHX_HOST', 'PHX_SERVER', 'PORT', 'POOL_SIZE'];

const isSet = ({ secrets }: StepContext, name: string): boolean => secrets?.includes(name) ?? false;

/** A key that nobody needs to know; a new one logs everybody out. */
export const keyBase = (context: StepContext): string[] =>
  isSet(context, 'SECRET_KEY_BASE')
    ? []
    : [
        `fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48) --stage --app ${context.answers.app}`,
      ];

/** What the app demands and nobody sets: one row for each name. */
export function demanded({ project }: StepContext): Value[] {
  const set = [...OURS, ...new Repo(project).provided];
  const values = secretsToSet(project.env.required, set)
    .filter(({ name }) => /^[A-Za-z_]\w*$/.test(name))
    .map(({ name, file, line }): [string, Value] => [name, { name, why: `${file}:${line}` }]);
  return [...new Map(values.reverse()).values()].reverse();
}

/** The values that only the owner has, and one command that takes them all. */
export function valueSections(context: StepContext): Section[] {
  const { postgres, app } = context.answers;
  const database = {
    app: [],
    none: [],
    external: [
      { name: 'DATABASE_URL', why: 'of your database: ecto://USER:PASSWORD@HOST/DATABASE' },
    ],
    managed: [
      { name: 'DIRECT_DATABASE_URL', why: "the cluster's direct URL, which migrations use" },
    ],
  }[postgres.kind];
  const values = [...database, ...demanded(context)].filter(({ name }) => !isSet(context, name));
  if (values.length === 0) return [];
  return [
    { title: 'These need a value that only you have:', lines: table(values) },
    {
      title:
        'Start this, type or paste a line NAME=value for each of them, then press Ctrl-D on an empty line:',
      lines: [`fly secrets import --stage --app ${app}`],
    },
  ];
}

const buildValues = ({ project }: StepContext): Value[] =>
  [...access(project).secrets, ...buildVariables(project)].map(({ id, why }) => ({
    name: id,
    why,
  }));

export function buildSection(context: StepContext): Section[] {
  const values = buildValues(context);
  const title =
    'The image is built with these. Set each of them in your shell (export NAME=value) before you deploy:';
  return values.length ? [{ title, lines: table(values) }] : [];
}

/** Flags of `fly deploy`. */
export const buildSecrets = (context: StepContext): string =>
  buildValues(context)
    .map(({ name }) => ` --build-secret ${name}="$${name}"`)
    .join('');

function table(values: readonly Value[]): string[] {
  const width = Math.max(...values.map(({ name }) => name.length));
  return values.map(({ name, why }) => `${name.padEnd(width)}  ${why}`);
}
