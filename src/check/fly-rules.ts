import { tablesAt } from '../fly/fly-config.ts';
import { unknownKeys } from '../fly/known-keys.ts';
import { isAppName } from '../fly/names.ts';
import { parseRegion, REGIONS } from '../fly/regions.ts';
import { problemOf } from '../problem.ts';
import type { FlyFile, Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const validity = rulesFor<FlyFile>('R2.1');
const dockerfileBuild = rulesFor<FlyFile>('B12');

/** flyctl's own list (internal/appconfig/validation.go, 2026-08). */
const STRATEGIES = ['rolling', 'immediate', 'canary', 'bluegreen'];

export const volumes = ({ table }: FlyFile) => [
  ...tablesAt(table, 'mounts'),
  ...tablesAt(table, 'mount'),
];

/** A strategy that starts machines beside the old ones. */
export const startsTwins = ({ deploy: { strategy }, line }: FlyFile) =>
  /^(canary|bluegreen)$/.test(String(strategy)) && { line: line('deploy.strategy'), strategy };

/** Why a region can't be deployed to; a Doubt where Fly may have opened it since. flyctl takes codes only, no cities. */
function wrongRegion({ region = 'lhr', line }: FlyFile) {
  if (REGIONS.some(({ code }) => code === region)) return undefined;
  const problem = problemOf(() => parseRegion(region));
  if (problem && !problem.includes('closed')) return new Doubt(problem);
  const fault = problem ?? `"${region}" is no code of a region`;
  return { line: line('primary_region'), fault };
}

/** Keys of [build] because of which `fly deploy` doesn't build the Dockerfile beside fly.toml, or not all of it. */
function bypasses({ bypasses, build, line }: FlyFile, { project: { tree }, dockerfile }: Repo) {
  const stages = dockerfile?.content.stages.map(({ name }) => name) ?? [];
  return bypasses.map((key) => {
    const value = String(build[key]).replace(/^\.\//, '');
    const isFile = key === 'dockerfile';
    const isFound = isFile
      ? tree.paths.has(value)
      : key.includes('target') && stages.includes(value.toLowerCase());
    // Where it is the only Dockerfile, it is the one that is judged
    if (isFile && isFound && !tree.paths.has('Dockerfile')) return undefined;
    return { key, line: line(`build.${key}`), weight: isFound ? 'should' : 'must' };
  });
}

/** R2.1, B12: valid for flyctl, which builds the Dockerfile. */
export const flyRules: readonly Rule<FlyFile>[] = [
  validity.must({
    find: ({ problem }) => problem && { problem },
    what: ({ problem }) => `${problem}`,
    edit: 'mend the line that it names',
  }),
  validity.must({
    find: ({ app, line, problem }) => {
      const fault = app ? `"${app}" can't be an app name` : 'no app';
      return !problem && !isAppName(app ?? '') && { line: line('app'), fault };
    },
    what: ({ fault }) => `${fault}`,
    edit: 'write: app = "NAME" in the first line, lower-case letters, digits and dashes',
  }),
  validity.should({
    find: ({ region, line, problem }) => !problem && !region && { line: line('app') },
    what: 'no primary_region, so Fly picks one',
    edit: 'write: primary_region = "lhr", or the one near your users',
  }),
  validity.must({
    find: wrongRegion,
    what: ({ fault }) => `${fault}`,
    edit: 'change it',
  }),
  validity.advice({
    find: ({ table, line }) =>
      unknownKeys(table).map((path) => ({ key: path.replaceAll(/\.\d+/g, ''), line: line(path) })),
    what: ({ key }) => `flyctl knows no ${key}, and ignores it`,
    edit: 'remove it, or correct its name or place',
  }),
  validity.must({
    find: ({ env, line }) =>
      Object.keys(env)
        .filter((name) => name.startsWith('FLY_'))
        .map((name) => ({ name, line: line(`env.${name}`) })),
    what: ({ name }) => `${name}: names that begin with FLY_ are Fly's own`,
    edit: 'remove it',
  }),
  validity.must({
    find: ({ deploy: { strategy = 'rolling' }, line }) =>
      !STRATEGIES.includes(String(strategy)) && { line: line('deploy.strategy'), strategy },
    what: ({ strategy }) => `there is no strategy ${strategy}`,
    edit: 'write: strategy = "rolling"',
  }),
  validity.must({
    find: (file) => volumes(file).length > 0 && startsTwins(file),
    what: ({ strategy }) =>
      `${strategy} starts machines beside the old ones, which hold the volume`,
    edit: 'write: strategy = "rolling"',
  }),
  validity.must({
    find: ({ table, service, line }) => {
      const [group] = tablesAt(table, 'processes').flatMap(({ data }) => Object.keys(data));
      const nameless = service?.kind === 'http_service' && !service.data.processes;
      return group && nameless && { line: line('http_service'), group };
    },
    what: 'with [processes], each service must say which one it is for',
    edit: ({ group }) => `add: processes = ["${group}"]`,
  }),
  dockerfileBuild.must({
    find: bypasses,
    what: ({ key }) =>
      `with ${key}: fly deploy does not build the whole Dockerfile beside fly.toml`,
    edit: ({ key, weight }) => {
      const choice = weight === 'should' ? ', unless it is what you want' : '';
      return `remove ${key} under [build]${choice}; npx plop fly-toml -- --conflict replace does it`;
    },
  }),
];
