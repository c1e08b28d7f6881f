import { files } from './generators/descriptors.ts';
import { complete, type QuestionName } from './src/answers/questions.ts';
import { refuseAnswers, refuseUnsupported } from './src/answers/refusals.ts';
import { check as checkProject, type Result } from './src/check/check.ts';
import { detectBuilt } from './src/docker/release-files.ts';
import { detect } from './src/facts/detect.ts';
import { type Facts, factsOf } from './src/facts/facts-json.ts';
import type { Change } from './src/plan/file.ts';
import { plan as planFiles, presentIn } from './src/plan/plan.ts';
import { openTree } from './src/tree.ts';

export type { QuestionName } from './src/answers/questions.ts';
export type { Result } from './src/check/check.ts';
export type { Facts } from './src/facts/facts-json.ts';
export type { Change } from './src/plan/file.ts';
export { Problem } from './src/problem.ts';

/**
 * What is known about the Phoenix app in a folder, as `phoenix-fly facts --json` prints it. Reads only.
 * @throws Problem when it is no Phoenix app
 */
export const facts = (folder: string): Facts => factsOf(detect(openTree(folder)));

/**
 * The verdict on each requirement, as `phoenix-fly check --json` prints it. Reads only.
 * @param skip requirements to leave out, each with the reason: `{ 'R3.5': 'our own format' }`
 * @throws Problem when it is no Phoenix app
 */
export const check = (folder: string, skip: Readonly<Record<string, string>> = {}): Result[] =>
  checkProject(detectBuilt(openTree(folder)), new Map(Object.entries(skip)));

/**
 * What `phoenix-fly fly` would write: every file with its text before and after, those that stay the same among them. Writes nothing.
 * @param answers texts as the flags take them, such as `{ region: 'lhr' }`; what is left out takes its default
 * @throws Problem for an answer that is missing or bad, or an app that is refused
 */
export function plan(
  folder: string,
  answers: Partial<Readonly<Record<QuestionName, string>>>,
): Change[] {
  const { release } = answers;
  const project = detect(openTree(folder), release === undefined ? {} : { release });
  refuseUnsupported(project);
  const completed = complete(answers, project, presentIn(files, project));
  refuseAnswers(project, completed);
  return planFiles(files, { project, answers: completed });
}
