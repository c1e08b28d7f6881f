import { refuseUnsupported } from '../answers/refusals.ts';
import type { Project } from '../facts/detect.ts';
import { problemOf } from '../problem.ts';
import { Repo } from './repo.ts';
import { type Requirement, requirements } from './requirements.ts';
import type { Finding, Subject, WeightedDoubt } from './rule.ts';
import { rules } from './rules.ts';

/** The verdict on one requirement; `--json` prints a list of these. */
export interface Result {
  /** "R1.1" */
  id: string;
  name: string;
  /** The usual path of the file that it is about: "Dockerfile". */
  file: string;
  /** The weight of the heaviest finding; `unknown` where nothing was found and something can't be told by reading. */
  verdict: 'met' | 'must' | 'should' | 'advice' | 'unknown' | 'skipped';
  /** What is wrong, heaviest first, each with the edit that mends it. */
  findings: Finding[];
  /** What can't be known from the files: never met. */
  unknown: WeightedDoubt[];
  /** Worth knowing, and no fault. */
  notes: string[];
  /** The reason given with `--skip`, '' without one; null: not skipped. */
  skipped: string | null;
}

/** Requirements left out, by id, each with the reason given. */
export type Skips = ReadonlyMap<string, string>;

/** Judges a repo by every requirement. Pure: reads the tree, nothing else. */
export function check(project: Project, skips: Skips = new Map()): Result[] {
  const repo = new Repo(project);
  return requirements.map((requirement) => resultOf(requirement, repo, skips));
}

/** The verdict on one requirement. */
export function resultOf(requirement: Requirement, repo: Repo, skips: Skips = new Map()): Result {
  const { id, name, subject } = requirement;
  const skipped = skips.get(id) ?? null;
  const judged = skipped === null ? judge(requirement, repo) : [];
  const faults = judged.filter((finding) => 'what' in finding);
  const doubts = judged.filter((finding) => 'why' in finding);
  const findings = (['must', 'should', 'advice'] as const).flatMap((weight) =>
    faults.filter((finding) => finding.weight === weight),
  );
  const unknown = distinct(doubts.filter(({ weight }) => isHeavy(weight)));
  return {
    id,
    name,
    file: subject.title,
    verdict: skipped === null ? verdictOf(findings, unknown) : 'skipped',
    findings,
    unknown,
    notes: faults.filter(({ weight }) => weight === 'note').map(({ what }) => what),
    skipped,
  };
}

/** A fault of this weight is not hidden by a doubt. */
const isHeavy = (weight: string | undefined): boolean => weight === 'must' || weight === 'should';

/** @param findings heaviest first */
function verdictOf([heaviest]: readonly Finding[], unknown: readonly WeightedDoubt[]) {
  const weight = (heaviest?.weight ?? 'met') as Result['verdict'];
  return unknown.length > 0 && !isHeavy(weight) ? 'unknown' : weight;
}

/** Several rules ask about one setting, and have the same doubt. */
const distinct = (doubts: readonly WeightedDoubt[]): WeightedDoubt[] => [
  ...new Map(doubts.map((doubt) => [doubt.why, doubt])).values(),
];

function judge({ id, subject }: Requirement, repo: Repo): (Finding | WeightedDoubt)[] {
  const why = id === subject.judgedAnyway ? undefined : subject.doubt?.(repo);
  if (why) return [{ weight: 'must', why }];
  const file = subject.read(repo);
  if (!file) return [absence(subject, repo)];
  return rules.filter((rule) => rule.id === id).flatMap((rule) => rule.judge(file, repo));
}

function absence(subject: Subject<unknown>, { project }: Repo): Finding {
  const refusal = problemOf(() => refuseUnsupported(project))?.replace(' Nothing was written.', '');
  return {
    weight: subject.absence,
    what: 'the file is not there',
    edit: refusal
      ? `write it yourself; phoenix-fly does not, because ${refusal}`
      : `npx plop ${subject.generator} writes it (npx plop fly: all of them)`,
    file: subject.title,
    line: null,
  };
}

/** What would not build, boot or answer, or is unsafe: a line each. */
export function mustFaults(project: Project): string[] {
  const faults = check(project).flatMap(({ findings }) => findings);
  const lines = faults
    .filter(({ weight }) => weight === 'must')
    .map(({ what, file, line }) => `${file}${line === null ? '' : `:${line}`}: ${what}`);
  return [...new Set(lines)];
}
