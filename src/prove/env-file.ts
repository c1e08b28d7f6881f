import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Problem } from '../problem.ts';

/** NAME=value lines of a file (node:util's parseEnv, Node 20.12). @throws Problem when it can't be read */
export function readEnvFile(path: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch (error) {
    throw Problem.from(error, `--env-file ${path} can't be read`);
  }
}
