import { check } from '../check/check.ts';
import type { Project } from '../facts/detect.ts';
import type { StepName } from './prove.ts';

/** The requirements that a line of the proof stands on. */
const REQUIREMENTS: Readonly<Record<StepName, readonly string[]>> = {
  build: ['B1', 'B3', 'B4', 'B6', 'R1.2'],
  migrate: ['B9', 'R2.3', 'R3.2', 'B10'],
  boot: ['R1.6', 'R2.6', 'R3.1', 'R3.3', 'B1'],
  health: ['R2.5', 'R2.6'],
  page: ['R2.5', 'R3.3'],
  socket: ['R3.3'],
  database: ['R2.3', 'R3.2'],
  memory: ['R2.2'],
  background: ['B11'],
  tls: ['R3.4'],
  user: ['R1.4'],
  history: ['R1.4'],
  stop: ['R1.6', 'B8'],
};

/** What `check` would change about a line that failed: "fly.toml:12: what is wrong", then the edit. */
export const remedies = (project: Project, line: StepName): string[] =>
  check(project)
    .filter(({ id }) => REQUIREMENTS[line].includes(id))
    .flatMap(({ findings }) => findings)
    .filter(({ weight }) => weight === 'must' || weight === 'should')
    .slice(0, 3)
    .map(
      ({ file, line: number, what, edit }) =>
        `${file}${number === null ? '' : `:${number}`}: ${what}; ${edit.split('\n')[0]}`,
    );
