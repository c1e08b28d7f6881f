/** `prove` as a user runs it, and the lines that the end-to-end proof prints. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Proof } from '../../src/prove/prove.ts';

const BIN = new URL('../../dist/bin/phoenix-fly.js', import.meta.url).pathname;

/** @throws Error with what was printed when it is no proof */
export async function proveApp(app: string): Promise<Proof> {
  const args = [BIN, 'prove', '--dest', app, '--engine', 'podman', '--json'];
  // Exit code 1 says that a line failed
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`prove printed no proof: ${stdout}${stderr}`);
  }
}

export function report(name: string, wrong: string): void {
  console.log(wrong ? `NOT OK ${name}: ${wrong}` : `ok ${name}`);
}

/** Containers, networks and images that a proof made. */
export function made(): string[] {
  const label = ['--quiet', '--filter', 'label=phoenix-fly.prove'];
  const image = ['images', '--quiet', 'localhost/phoenix-fly-prove'];
  const lists = [['ps', '--all', ...label], ['network', 'ls', ...label], image];
  return lists.flatMap((list) => execFileSync('podman', list, { encoding: 'utf8' }).split('\n'));
}

const before = made();
/** What is there now and was not at the start. */
export const leftBehind = () => made().filter((name) => !before.includes(name)).join(' ');
