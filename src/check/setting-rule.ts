import { Unknown, type Value } from '../elixir/value.ts';
import { serverRepos } from '../facts/project.ts';
import type { Repo } from './repo.ts';
import { RUNTIME_EXS } from './requirements.ts';
import { Doubt, type Place, type Rule, rulesFor, type Weight } from './rule.ts';
import { type Path, placeOf, readsAt, settingAt } from './runtime-probe.ts';

/** The module that a setting is for, and the OTP app below which it stands. */
export interface Target extends Place {
  app: string;
  module: string;
}

export const endpointOf = ({ project }: Repo): Target[] => [
  { app: project.app.otpApp, module: project.endpoint.module },
];

export const reposOf = ({ project }: Repo): Target[] =>
  serverRepos(project).map((module) => ({
    module,
    app: project.database.repoApps.get(module) ?? project.app.otpApp,
  }));

/** What a judgement may look at beside the value itself. */
export interface Circumstances {
  repo: Repo;
  path: Path;
}

/** How a setting is judged by what it comes out as, whoever wrote it however. */
export interface SettingRule {
  id: string;
  weight: Weight;
  targets(repo: Repo): Target[];
  /** Whether it matters in this repo at all. */
  matters?(repo: Repo): boolean;
  keys: readonly string[];
  /** Changes to the environment in which the release starts. */
  environment?: Readonly<Record<string, string | undefined>>;
  isWrong(value: Value | undefined, circumstances: Circumstances): boolean;
  /** The variable whose reading is the place to edit; without one it is where the key is set. */
  variable?: string;
  say(target: Target): string;
  mend(target: Target): string;
}

/** A rule about one setting; a value that only the running release knows is a doubt. */
export function settingRule(setting: SettingRule): Rule<string, Target> {
  const { id, weight, say, mend } = setting;
  return rulesFor(RUNTIME_EXS)<Target>({
    id,
    weight,
    say,
    mend,
    find: (_, repo) =>
      setting.matters?.(repo) === false
        ? []
        : setting.targets(repo).flatMap((target) => judge(setting, target, repo)),
  });
}

function judge(setting: SettingRule, target: Target, repo: Repo): (Target | Doubt)[] {
  const { keys, environment, isWrong, variable, weight, say } = setting;
  const path: Path = [target.app, target.module, ...keys];
  const value = settingAt(repo, path, environment);
  if (value instanceof Unknown)
    return /advice|note/.test(weight)
      ? []
      : [new Doubt(`${say(target)}? That is decided by ${value.why}`)];
  if (!isWrong(value, { repo, path })) return [];
  const line = variable && repo.runtime ? readsAt(repo.runtime.text, variable) : undefined;
  const place = line === undefined ? placeOf(repo, path) : undefined;
  return [{ ...target, file: place?.file, line: line ?? place?.line }];
}

/** The statement that makes a setting. */
export const statement = ({ app, module }: Target, line: string): string =>
  `add: config :${app}, ${module}, ${line}`;

/** The same, where it is the generator's to write. */
export const addition = (target: Target, line: string): string =>
  `${statement(target, line)}; \`npx plop runtime-exs\` writes it`;
