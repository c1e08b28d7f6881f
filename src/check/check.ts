import type { Project } from '../facts/detect.ts';
import { Repo } from './repo.ts';
import { type Requirement, requirements } from './requirements.ts';
import type { Finding, Outcome, Subject, Weight } from './rule.ts';
import { rules } from './rules.ts';

/** The weight of the heaviest finding; `unknown` where nothing was found and something can't be told by reading. */
export type Verdict = 'met' | 'must' | 'should' | 'advice' | 'unknown' | 'skipped';

/** The verdict on one requirement; `--json` prints a list of these. */
export interface Result {
  /** "R1.1" */
  id: string;
  name: string;
  /** The usual path of the file that it is about: "Dockerfile". */
  file: string;
  verdict: Verdict;
  /** What is wrong, heaviest first, each with the edit that mends it. */
  findings: Finding[];
  /** What can't be known from the files: never met. */
  unknown: { weight: Weight; why: string }[];
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
  const { findings, unknown } =
    skipped === null ? outcomeOf(requirement, repo) : { findings: [], unknown: [] };
  const weighing = (weight: Weight) => findings.filter((finding) => finding.weight === weight);
  const faults = [...weighing('must'), ...weighing('should'), ...weighing('advice')];
  const worst = (faults[0]?.weight ?? 'met') as Verdict;
  // Several rules ask about one setting
  const heavy = unknown.filter(({ weight }) => weight === 'must' || weight === 'should');
  const open = [...new Map(heavy.map((doubt) => [doubt.why, doubt])).values()];
  const verdict = open.length && !/must|should/.test(worst) ? 'unknown' : worst;
  return {
    id,
    name,
    file: subject.title,
    verdict: skipped === null ? verdict : 'skipped',
    findings: faults,
    unknown: open,
    notes: weighing('note').map(({ what }) => what),
    skipped,
  };
}

function outcomeOf({ id, subject }: Requirement, repo: Repo): Outcome {
  const doubt = id === subject.except ? undefined : subject.doubt?.(repo);
  if (doubt) return { findings: [], unknown: [{ weight: 'must', why: doubt }] };
  const read = subject.read(repo);
  if (!read) return { findings: [absence(subject, repo)], unknown: [] };
  const outcomes = rules.filter((rule) => rule.id === id).map((rule) => rule.judge(read, repo));
  return {
    findings: outcomes.flatMap(({ findings }) => findings),
    unknown: outcomes.flatMap(({ unknown }) => unknown),
  };
}

const absence = ({ title, generator, absence: weight }: Subject<unknown>, repo: Repo): Finding => ({
  weight,
  what: 'the file is not there',
  edit:
    repo.refusal === undefined
      ? `npx plop ${generator} writes it (npx plop fly: all of them)`
      : `write it yourself; phoenix-fly does not, because ${repo.refusal}`,
  file: title,
  line: null,
});

/** What would not build, boot or answer, or is unsafe: a line each. @param title the usual path of the file, without it all files */
export const mustFaults = (project: Project, title?: string): string[] => {
  const repo = new Repo(project);
  const faults = requirements
    .filter(({ subject }) => title === undefined || subject.title === title)
    .flatMap((requirement) => resultOf(requirement, repo).findings)
    .filter(({ weight }) => weight === 'must')
    .map(({ what, file, line }) => `${file}${line === null ? '' : `:${line}`}: ${what}`);
  return [...new Set(faults)];
};
