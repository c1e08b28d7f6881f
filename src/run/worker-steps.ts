import type { Context } from '../plan/file.ts';
import { elixirAtom, isModule } from '../quote.ts';
import { step } from './terminal.ts';

/** The lines with which application.ex reads our switch. */
export function workerSteps({ project, answers }: Context): string[] {
  const { background } = project;
  if (!answers.background || background.length === 0) return [];
  const applications = project.released.map(
    ({ applicationModule }) => project.sources.module(applicationModule ?? '')?.text,
  );
  // Those of a supervisor are its own to start
  const isNamed = (name: string) => applications.join().includes(name.replace(/^.*\./, ''));
  const modules = background.filter((name) => isModule(name) && isNamed(name));
  const usesOban = background.includes('oban');
  const workers = modules.join(', ') || (usesOban ? '' : 'MyApp.Worker');
  const title =
    'In application.ex, so that workers (leave out those that pages need) are not started in one-off commands and on machines with BACKGROUND_ENABLED=false:';
  const lines = [
    `enabled = Application.get_env(${elixirAtom(project.app.otpApp)}, :background, enabled: true)[:enabled]`,
  ];
  if (workers)
    lines.push(
      `workers = [${workers}]`,
      'children = if enabled, do: children ++ workers, else: children',
    );
  // So that jobs can be inserted everywhere
  if (usesOban)
    lines.push(
      '{Oban, if(enabled, do: options, else: Keyword.merge(options, queues: false, plugins: false))}',
    );
  return [step(title, ...lines)];
}
