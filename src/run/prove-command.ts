import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type FlagTexts, oneOf, parseFlag } from '../answers/flags.ts';
import { detectBuilt } from '../docker/release-files.ts';
import { trustedPath } from '../fly/flyctl.ts';
import { Problem } from '../problem.ts';
import { commandLine, ENGINES, findEngine, type Variables } from '../prove/engine.ts';
import { exitCode, prove } from '../prove/prove.ts';
import { lineText, screen, summaryText } from '../prove/screen.ts';
import { openTree } from '../tree.ts';
import { paintVerdict, print, printJson } from './terminal.ts';

/**
 * The command `prove`: prints a line for each thing that a deploy needs.
 * @param root the folder of the app
 * @returns the exit code: 0 when nothing failed, 1 otherwise, 130 when interrupted
 * @throws Problem when this is no Phoenix app, there is nothing to build, or no engine answers
 */
export async function runProve(root: string, texts: FlagTexts): Promise<number> {
  const { path = '/', json } = texts;
  if (!/^\/[!-~]*$/.test(path))
    throw new Problem(
      '--path: it starts with / and is written as in a URL, for example --path /login',
    );
  const engineName = parseFlag('engine', texts.engine, oneOf(ENGINES, 'an engine'));
  const envFile = texts['env-file'];
  const given = envFile === undefined ? {} : readEnvFile(envFile);
  const project = detectBuilt(openTree(root));
  if (!project.files.flyToml) throw new Problem('there is no fly.toml to prove; `fly` writes it');
  // A program in the repo that is named like an engine is not started
  process.env.PATH = trustedPath(root);
  const signal = stopSignal();
  const work = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  try {
    const names = engineName ? [engineName] : ENGINES;
    const proof = await prove(
      {
        engine: await findEngine(names.map((name) => commandLine(name, work, signal))),
        project,
        folder: resolve(root, project.appDir),
        path,
        envFile: given,
        databaseUrl: texts['database-url'],
      },
      {
        watcher: screen(process.stderr, (line) => json || print(lineText(line), paintVerdict)),
        signal,
        keep: texts.keep !== undefined,
      },
    );
    if (signal.aborted) {
      print('Interrupted; what was made is removed.');
      return 130;
    }
    if (json) printJson(proof);
    else print(summaryText(proof));
    return exitCode(proof);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The NAME=value lines of a file. @throws Problem when it can't be read */
function readEnvFile(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Variables;
  } catch (error) {
    throw Problem.from(error, `--env-file ${path} can't be read`);
  }
}

/** Aborted by Ctrl-C. A second Ctrl-C changes nothing, so that what was made is removed in any case. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, abort);
  // The reader of a pipe ended, as in `prove | head`
  process.stdout.on('error', abort);
  return controller.signal;
}
