import { Unknown, type Value } from '../elixir/value.ts';
import { serverRepos } from '../facts/project.ts';
import { placeholder, type Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Place, type Rule, rulesFor, type Weight } from './rule.ts';
import { type Path, placeOf, readsAt, settingAt, variableOf } from './runtime-probe.ts';

/** The module that a setting is for, and the OTP app below which it stands. */
export interface Target {
  app: string;
  module: string;
}

export const endpointOf = ({ project }: Repo): Target => ({
  app: project.app.otpApp,
  module: project.endpoint.module,
});

/** Repos on the app's database. One with an address from another variable is left alone, as long as another has the app's. */
export function reposOf(repo: Repo): Target[] {
  const { database, app } = repo.project;
  const all = serverRepos(repo.project).map((module) => ({
    module,
    app: database.repoApps.get(module) ?? app.otpApp,
  }));
  const main = all.filter((target) => {
    const url: Path = [target.app, target.module, 'url'];
    return settingAt(repo, url) === placeholder('DATABASE_URL') || !variableOf(repo, url);
  });
  return main.length ? main : all;
}

/** A setting that is judged by what it comes out as, whoever wrote it however. */
export interface Row<Missing extends string> {
  id: string;
  /** Below the module: `url.host`. */
  key: string;
  weight: Weight;
  /** Whether it matters in this repo at all. */
  matters?(repo: Repo): boolean;
  /** Changes to the environment in which the release starts. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Left out where nothing but `missing` is wrong. */
  isWrong?(value: Value | undefined, repo: Repo, path: Path): boolean;
  /** What the generator writes, where it is missing. */
  missing?: Missing;
  /** The variable whose reading is the place to edit; without one it is where the key is set. */
  variable?: string;
  what: string;
  /** The setting to add, or else a sentence. */
  line?: string;
  edit?: string;
}

interface Found extends Target, Place {
  isMissing: boolean;
}

/** The rules of a table, for the endpoint or for each repo. A value that only the running release knows is a doubt. */
export function settingRules<Missing extends string>(
  targets: (repo: Repo) => readonly (Target & Partial<Record<Missing, unknown>>)[],
  rows: readonly Row<Missing>[],
  say: (target: Target, what: string) => string = (_, what) => what,
): Rule<string>[] {
  return rows.map((row) =>
    rulesFor(RUNTIME_EXS, row.id)[row.weight]<Found>(
      (_, repo) => {
        if (row.matters?.(repo) === false) return [];
        return targets(repo).flatMap((target) => {
          const isMissing = row.missing !== undefined && target[row.missing] === true;
          return judge(row, { ...target, isMissing }, repo, say(target, row.what));
        });
      },
      (found) => say(found, row.what),
      (found) => row.edit ?? addition(found, row.line ?? ''),
    ),
  );
}

function judge(
  row: Row<string>,
  { app, module, isMissing }: Found,
  repo: Repo,
  question: string,
): (Found | Doubt)[] {
  const path: Path = [app, module, ...row.key.split('.')];
  const value = settingAt(repo, path, row.environment);
  if (value instanceof Unknown) {
    const isOpen = /must|should/.test(row.weight);
    return isOpen ? [new Doubt(`${question}? That is decided by ${value.why}`)] : [];
  }
  const isWrong = row.isWrong ? row.isWrong(value, repo, path) : isMissing;
  if (!isWrong) return [];
  const line = row.variable && repo.runtime && readsAt(repo.runtime.text, row.variable);
  const place = line ? undefined : placeOf(repo, path);
  return [{ app, module, isMissing, file: place?.file, line: line || place?.line }];
}

const addition = ({ app, module, isMissing }: Found, line: string): string =>
  `add: config :${app}, ${module}, ${line}${isMissing ? '; `npx plop runtime-exs` writes it' : ''}`;
