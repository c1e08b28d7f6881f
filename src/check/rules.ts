import { baseRules } from './dockerfile-base.ts';
import { packageRules, stageRules } from './dockerfile-image.ts';
import { inputRules, privateRules } from './dockerfile-inputs.ts';
import { layerRules } from './dockerfile-layers.ts';
import { localeRules, startRules } from './dockerfile-start.ts';
import { userRules } from './dockerfile-user.ts';
import { dockerignoreRules } from './dockerignore.ts';
import { envSh } from './env-sh.ts';
import { flyDataRules } from './fly-data.ts';
import { flyMachineRules } from './fly-machine.ts';
import { flyRules } from './fly-rules.ts';
import { healthCheck } from './health.ts';
import type { Read, Repo } from './repo.ts';
import { Doubt, type Place, type Rule, type Weight } from './rule.ts';
import { backgroundSwitch, logger, tls } from './runtime-app.ts';
import { hosts, releaseMode, secrets } from './runtime-endpoint.ts';
import { pools } from './runtime-repos.ts';
import type { Findings } from './verdict.ts';

type Words = Place & { what: string; edit: string };

/** A judge from before there were rules, as rules: until its file is converted. A finding may carry its own weight. */
function fromJudge(
  id: string,
  weight: Weight,
  judge: (repo: Repo) => Findings | undefined,
): Rule<unknown, Words>[] {
  const words = { say: ({ what }: Words) => what, mend: ({ edit }: Words) => edit };
  const missing = (repo: Repo) => judge(repo)?.missing ?? [];
  const weights: Weight[] = ['must', 'should', 'advice'];
  return [
    ...weights.map((own) => ({
      id,
      weight: own,
      find: (_: unknown, repo: Repo) =>
        missing(repo).filter((found) => (found.weight ?? weight) === own),
      ...words,
    })),
    {
      id,
      weight,
      find: (_, repo) => (judge(repo)?.unknown ?? []).map((why) => new Doubt(why)),
      ...words,
    },
    {
      id,
      weight: 'note',
      find: (_, repo) => (judge(repo)?.notes ?? []).map((what) => ({ what, edit: '' })),
      ...words,
    },
  ];
}

const on =
  <T>(pick: (repo: Repo) => T | undefined) =>
  (id: string, weight: Weight, judge: (repo: Repo, file: T) => Findings) =>
    fromJudge(id, weight, (repo) => {
      const file = pick(repo);
      return file === undefined ? undefined : judge(repo, file);
    });

const fly = on((repo) => repo.fly);
const envScript = on((repo): Read<string> | undefined => repo.envSh);

/** Every rule. Those of one requirement are shown in this order. */
export const rules: readonly Rule[] = [
  ...layerRules,
  ...stageRules,
  ...packageRules,
  ...userRules,
  ...startRules,
  ...baseRules,
  ...localeRules,
  ...inputRules,
  ...privateRules,
  ...dockerignoreRules,
  ...flyRules,
  ...flyMachineRules,
  ...flyDataRules,
  ...fly('R2.5', 'should', healthCheck),
  ...envScript('B10', 'should', envSh),
  ...releaseMode,
  ...pools,
  ...hosts,
  ...secrets,
  ...tls,
  ...logger,
  ...backgroundSwitch,
];
