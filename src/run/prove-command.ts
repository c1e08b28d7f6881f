import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { named, oneOf, type Texts } from '../answers/flags.ts';
import { detectBuilt } from '../docker/release-files.ts';
import { trustedPath } from '../fly/flyctl.ts';
import { Problem } from '../problem.ts';
import { commandLine, ENGINES, findEngine, type Variables } from '../prove/engine.ts';
import { exitCode, prove } from '../prove/prove.ts';
import { lineText, screen, summaryText } from '../prove/screen.ts';
import { openTree } from '../tree.ts';
import { paintVerdict, say } from './terminal.ts';

/**
 * The command `prove`: prints a line for each thing that a deploy needs.
 * @param root the folder of the app
 * @returns the exit code: 0 when nothing failed, 1 otherwise, 130 when interrupted
 * @throws Problem when this is no Phoenix app, there is nothing to build, or no engine answers
 */
export async function runProve(root: string, texts: Texts): Promise<number> {
  const { path = '/', json } = texts;
  if (!/^\/[!-~]*$/.test(path))
    throw new Problem(
      '--path: it starts with / and is written as in a URL, for example --path /login',
    );
  const wanted = named('engine', texts.engine, oneOf(ENGINES, 'an engine'));
  const given = texts['env-file'] === undefined ? {} : readEnvFile(texts['env-file']);
  const project = detectBuilt(openTree(root));
  if (!project.files.flyToml) throw new Problem('there is no fly.toml to prove; `fly` writes it');
  // An engine that lies in the repo is not started
  process.env.PATH = trustedPath(root);
  const { signal } = interrupts();
  const work = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  try {
    const names = wanted ? [wanted] : ENGINES;
    const proof = await prove(
      {
        engine: await findEngine(names.map((name) => commandLine(name, work, signal))),
        project,
        folder: resolve(root, project.appDir),
        path,
        given,
        databaseUrl: texts['database-url'],
      },
      {
        watcher: screen(process.stderr, (line) => json || say(lineText(line), paintVerdict)),
        signal,
        keep: texts.keep !== undefined,
      },
    );
    if (!signal.aborted) say(json ? JSON.stringify(proof, null, 2) : summaryText(proof));
    else say('Interrupted; what was made is removed.');
    return signal.aborted ? 130 : exitCode(proof);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** NAME=value lines of a file. @throws Problem when it can't be read */
function readEnvFile(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Variables;
  } catch (error) {
    throw Problem.from(error, `--env-file ${path} can't be read`);
  }
}

/** Ctrl-C ends the step under way; a second one finds nobody, so that what was made is still removed. */
function interrupts(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => controller.abort());
  // Nobody reads on: prove | head
  process.stdout.on('error', () => controller.abort());
  return controller;
}
