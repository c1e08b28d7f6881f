import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { detect } from '../facts/detect.ts';
import { flyConfig } from '../fly/fly-config.ts';
import { Problem } from '../problem.ts';
import { commandLine, ENGINES, type Engine, type EngineName, findEngine } from '../prove/engine.ts';
import { readEnvFile } from '../prove/env-file.ts';
import { exitCode, prove } from '../prove/prove.ts';
import { lineText, screen, summaryText } from '../prove/screen.ts';
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
  const name = await findEngine(wanted);
  const { signal } = interrupts();
  const proof = await prove({
    engine: removable(name, signal),
    project,
    fly: flyConfig(project.tree),
    folder: resolve(top, project.appDir),
    wish: { path: flags.path, secrets, databaseUrl: flags['database-url'], keep: flags.keep },
    watcher: screen(
      process.stderr,
      (line) => flags.json || console.log(lineText(line, pc.isColorSupported)),
    ),
    signal,
  });
  if (signal.aborted) {
    console.error('Interrupted; what was made is removed.');
    return 130;
  }
  console.log(flags.json ? JSON.stringify(proof, null, 2) : summaryText(proof));
  return exitCode(proof);
}

/** Ctrl-C ends the step under way; a second one finds nobody, so that what was made is still removed. */
function interrupts(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => controller.abort());
  return controller;
}

/** An engine whose commands end with the signal, but those that clean up. */
function removable(name: EngineName, signal: AbortSignal): Engine {
  const [working, cleaning] = [commandLine(name, signal), commandLine(name)];
  const run: Engine['run'] = (args, options) =>
    (/^(rm|rmi|ps|network (ls|rm))\b/.test(args.slice(0, 2).join(' ')) ? cleaning : working).run(
      args,
      options,
    );
  return { name, run };
}

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
