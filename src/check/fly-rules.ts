import { type Service, tablesAt } from '../fly/fly-config.ts';
import { unknownKeys } from '../fly/known-keys.ts';
import { isAppName } from '../fly/names.ts';
import { parseRegion, REGIONS } from '../fly/regions.ts';
import { Problem } from '../problem.ts';
import type { FlyFile } from './fly-file.ts';
import type { Repo } from './repo.ts';
import { FLY_TOML } from './requirements.ts';
import { Doubt, type Rule, rulesFor, type Weight } from './rule.ts';

const r21 = rulesFor(FLY_TOML, 'R2.1');
const b12 = rulesFor(FLY_TOML, 'B12');

/** flyctl's own list (internal/appconfig/validation.go, 2026-08). */
const STRATEGIES = ['rolling', 'immediate', 'canary', 'bluegreen'];

/** The service's table as its header says it. */
export const headerOf = ({ path }: Service): string => path.replaceAll(/\.\d+/g, '');

/** Why a region can't be deployed to; a Doubt where Fly may have opened it since. */
function regionFault(region: string): string | Doubt | undefined {
  try {
    // Not what is typed at the question, which may be a city: flyctl takes codes only
    if (REGIONS.some(({ code }) => code === region)) return undefined;
    parseRegion(region);
    return `"${region}" is no code of a region`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message.includes('closed') ? error.message : new Doubt(error.message);
  }
}

/** R2.1: valid for flyctl. */
const validRules: readonly Rule<FlyFile>[] = [
  r21.must(
    ({ problem }) => problem && { problem },
    ({ problem }) => problem,
    'mend the line that it names',
  ),
  r21.must(
    ({ app, line, problem }) => !problem && !isAppName(app ?? '') && { line: line('app'), app },
    ({ app }) => (app ? `"${app}" can't be an app name` : 'no app'),
    'write: app = "NAME" in the first line, lower-case letters, digits and dashes',
  ),
  r21.should(
    ({ region, line, problem }) => !problem && !region && { line: line('app') },
    'no primary_region, so Fly picks one',
    'write: primary_region = "lhr", or the one near your users',
  ),
  r21.must(
    ({ region, line }) => {
      const fault = region ? regionFault(region) : undefined;
      if (fault instanceof Doubt) return [fault];
      return fault ? [{ line: line('primary_region'), fault }] : [];
    },
    ({ fault }) => fault,
    'change it',
  ),
  // A key that looks like one that flyctl knows is a slip; others may be left over from older forms
  r21.should(
    ({ table, line }) =>
      unknownKeys(table).map((unknown) => {
        const weight: Weight = (unknown.meant ?? unknown.home) ? 'should' : 'advice';
        return { ...unknown, weight, line: line(unknown.path) };
      }),
    ({ path }) => `flyctl knows no ${path.replaceAll(/\.\d+/g, '')}, and ignores it`,
    ({ meant, home, key }) => {
      if (meant) return `did you mean ${meant}? else remove it`;
      return home
        ? `${key} belongs below [${home}]; else remove it`
        : 'remove it, or correct its name';
    },
  ),
  r21.must(
    ({ env, line }) =>
      Object.keys(env)
        .filter((name) => name.startsWith('FLY_'))
        .map((name) => ({ name, line: line(`env.${name}`) })),
    ({ name }) => `${name}: names that begin with FLY_ are Fly's own`,
    'remove it',
  ),
  r21.must(
    ({ deploy: { strategy }, line }) =>
      strategy !== undefined &&
      !STRATEGIES.includes(String(strategy)) && {
        line: line('deploy.strategy'),
        strategy: String(strategy),
      },
    ({ strategy }) => `there is no strategy ${strategy}`,
    'write: strategy = "rolling"',
  ),
  r21.must(
    ({ deploy: { strategy }, table, line }) => {
      const mounts = [...tablesAt(table, 'mounts'), ...tablesAt(table, 'mount')];
      const twins = strategy === 'canary' || strategy === 'bluegreen';
      return twins && mounts.length && { line: line('deploy.strategy'), strategy };
    },
    ({ strategy }) => `${strategy} starts machines beside the old ones, which hold the volume`,
    'write: strategy = "rolling"',
  ),
  r21.must(
    ({ table, service, line }) => {
      const groups = tablesAt(table, 'processes').flatMap(({ data }) => Object.keys(data));
      const nameless = service?.kind === 'http_service' && !service.data.processes;
      return groups.length && nameless && { line: line('http_service'), group: groups[0] };
    },
    'with [processes], each service must say which one it is for',
    ({ group }) => `add: processes = ["${group}"]`,
  ),
];

/** Keys of [build] with which no Dockerfile is built. */
const OTHER_BUILDERS = ['image', 'builder', 'buildpacks', 'builtin', 'compose'];

/** B12: what `fly deploy` builds is the Dockerfile. */
const buildRules: readonly Rule<FlyFile>[] = [
  b12.must(
    ({ build, line }) =>
      OTHER_BUILDERS.filter((key) => build[key] !== undefined).map((key) => ({
        key,
        line: line(`build.${key}`),
      })),
    ({ key }) => `with ${key}, fly deploy does not build the Dockerfile`,
    ({ key }) => `remove ${key} under [build]; npx plop fly-toml -- --conflict replace does it`,
  ),
  b12.must(
    (file, repo) => [...otherDockerfile(file, repo), ...otherStage(file, repo)],
    ({ what, exists }) =>
      exists
        ? `fly deploy builds ${what}, and not the whole Dockerfile beside fly.toml`
        : `there is no ${what}, so each build stops here`,
    ({ key, exists }) =>
      `remove ${key} under [build]${exists ? ', unless it is what you want' : ''}`,
  ),
];

/** [build] that names another Dockerfile than the one beside it. */
function otherDockerfile({ build, line }: FlyFile, { project: { tree } }: Repo) {
  const path = String(build.dockerfile ?? 'Dockerfile').replace(/^\.\//, '');
  const exists = tree.paths.has(path);
  // Where it is the only one, it is the one that is judged
  if (path === 'Dockerfile' || (exists && !tree.paths.has('Dockerfile'))) return [];
  const weight: Weight = exists ? 'should' : 'must';
  return [{ key: 'dockerfile', what: path, exists, weight, line: line('build.dockerfile') }];
}

function otherStage({ build, line }: FlyFile, { dockerfile }: Repo) {
  const stage = build['build-target'] ?? build.build_target;
  if (stage === undefined || !dockerfile) return [];
  const names = [...dockerfile.text.matchAll(/^FROM\s.*\sAS\s+(\S+)\s*$/gim)].map(
    ([, name]) => name,
  );
  const exists = names.includes(String(stage));
  const weight: Weight = exists ? 'should' : 'must';
  const place = line('build.build-target');
  return [{ key: 'build-target', what: `stage ${stage}`, exists, weight, line: place }];
}

export const flyRules: readonly Rule<FlyFile>[] = [...validRules, ...buildRules];
