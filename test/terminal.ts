import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { type Ended, environment, HERE } from './commands.ts';

/** A flyctl for the front of PATH: `script` is what stands in its `case "$*" in`. At a terminal, or with notices and colours on, it fails. */
export function fakeFlyctl(script: string): { path: string; calls: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'flyctl-'));
  const log = join(folder, 'calls');
  writeFileSync(
    join(folder, 'flyctl'),
    `#!/bin/sh\n[ "$FLY_NO_UPDATE_CHECK$NO_COLOR" = 11 ] && [ ! -t 0 ] || exit 9\necho "$*" >> '${log}'\ncase "$*" in\n${script}\nesac\n`,
  );
  chmodSync(join(folder, 'flyctl'), 0o755);
  return {
    path: `${folder}:${process.env.PATH ?? ''}`,
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

/** So that a flyctl of this computer, and its account, have no part in a test. */
export const loggedOut = (): string =>
  fakeFlyctl('*) echo "Error: no access token available" >&2; exit 1;;').path;

/** Types answers into a pseudo-terminal when their prompt shows. */
export function type(
  [file = '', ...args]: readonly string[],
  app: string,
  answers: [prompt: RegExp, keys: string][],
  PATH = loggedOut(),
): Promise<Ended> {
  return new Promise((resolve) => {
    const shell = spawn(file, [...args, '--dest', app], {
      cwd: HERE,
      cols: 120,
      rows: 50,
      env: environment({ CI: '', PATH }),
    });
    let out = '';
    let seen = 0;
    let typing = false;
    // A prompt that never shows must not keep the tests waiting
    const patience = setTimeout(() => shell.kill(), 40_000);
    shell.onData((data) => {
      out += data;
      const [next] = answers;
      if (!next || typing || !next[0].test(out.slice(seen))) return;
      typing = true;
      answers.shift();
      setTimeout(() => {
        // What comes next answers these keys, not what was there before
        seen = out.length;
        typing = false;
        shell.write(next[1]);
      }, 150);
    });
    shell.onExit(({ exitCode }) => {
      clearTimeout(patience);
      resolve({ code: exitCode, out, err: '' });
    });
  });
}
