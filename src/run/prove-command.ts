import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { flyTable } from '../answers/existing.ts';
import { detect } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { commandLine, ENGINES, type EngineName, findEngine } from '../prove/engine.ts';
import { readEnvFile } from '../prove/env-file.ts';
import { prove } from '../prove/prove.ts';
import { summaryText, watcherFor } from '../prove/screen.ts';
import { exitCode } from '../prove/verdict.ts';
import { openTree } from '../tree.ts';
import { findRoot } from './session.ts';

export const PROVE_HELP = `Builds the image on this machine with Docker or Podman, boots it as Fly would, and says whether a deploy will work.
  --engine NAME         docker or podman; default: the first that answers
  --env-file FILE       NAME=value lines: the secrets that the app or its build needs
  --database-url URL    your own database; default: a throwaway Postgres
  --path PATH           the page to look at; default: /
  --keep                leaves the app running and prints its URL
  --json                the same for scripts
Exit code 0 when nothing failed, 1 otherwise, 130 when interrupted.`;

const OPTIONS = {
  engine: { type: 'string' },
  'env-file': { type: 'string' },
  'database-url': { type: 'string' },
  path: { type: 'string', default: '/' },
  keep: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/**
 * The command `prove`: prints a line for each thing that a deploy needs.
 * @returns the exit code
 * @throws Problem when this is no Phoenix app, no engine answers, or for a flag that doesn't exist
 */
export async function runProve(
  dest: string | undefined,
  args: string[],
  usage: string,
): Promise<number> {
  const flags = flagsOf(args);
  if (flags.help) {
    console.log(`${usage}\n${PROVE_HELP}`);
    return 0;
  }
  const secrets = flags['env-file'] === undefined ? {} : readEnvFile(flags['env-file']);
  const wanted = engineName(flags.engine);
  if (!flags.path.startsWith('/'))
    throw new Problem('--path starts with /, for example --path /login');
  const top = await findRoot(dest, Boolean(process.stdin.isTTY && process.stdout.isTTY));
  const project = detect(openTree(top));
  if (!project.files.flyToml)
    throw new Problem('there is no fly.toml to prove: `npx plop fly` writes it');
  // Ctrl-C ends what runs, and what was made is still removed: by a command line that no longer hears it
  const interrupt = new AbortController();
  process.on('SIGINT', () => interrupt.abort());
  process.on('SIGTERM', () => interrupt.abort());
  const engine = await findEngine(wanted);
  const watcher = watcherFor(
    process.stderr,
    pc.isColorSupported,
    (text) => flags.json || console.log(text),
  );
  const running = commandLine(engine.name);
  const outcome = await prove({
    engine: {
      name: engine.name,
      run: (list, options) =>
        running.run(list, { signal: removes(list) ? undefined : interrupt.signal, ...options }),
    },
    project,
    table: flyTable(project),
    folder: resolve(top, project.appDir),
    wish: { path: flags.path, secrets, databaseUrl: flags['database-url'], keep: flags.keep },
    watcher,
    stopped: () => interrupt.signal.aborted,
  });
  watcher.end();
  if (interrupt.signal.aborted) {
    console.error('Interrupted; what was made is removed.');
    return 130;
  }
  console.log(flags.json ? JSON.stringify(outcome, null, 2) : summaryText(outcome));
  return exitCode(outcome.lines);
}

const removes = ([command = '', verb = '']: readonly string[]): boolean =>
  ['rm', 'rmi', 'ps'].includes(command) || (command === 'network' && verb !== 'create');

function engineName(text: string | undefined): EngineName | undefined {
  const found = ENGINES.find((name) => name === text);
  if (text !== undefined && !found)
    throw new Problem(`--engine: "${text}" is neither docker nor podman`);
  return found;
}

function flagsOf(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    const [first] = (error as Error).message.split('. ');
    throw new Problem(`${first}\n${PROVE_HELP}`);
  }
}
