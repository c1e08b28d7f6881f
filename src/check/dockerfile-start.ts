import { relFolder } from '../docker/release-files.ts';
import { get, pairs, Unknown } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { setting } from './boot.ts';
import { buildOf } from './dockerfile-build.ts';
import {
  type Dockerfile,
  isContextCopy,
  last,
  programs,
  type Step,
  sourceStage,
  sourcesOf,
  startLine,
  startSteps,
} from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const r15 = rulesFor(DOCKERFILE, 'R1.5');
const r16 = rulesFor(DOCKERFILE, 'R1.6');
const startOf = ({ release }: Repo): string => `CMD ["/app/bin/${release}", "start"]`;

/** Scripts of the repo's that a command runs. */
function scriptsOf({ project: { tree } }: Repo, commands: readonly string[]) {
  const names = new Set(commands.map((command) => command.split('/').at(-1)));
  return [...tree.paths].flatMap((path) => {
    const named = names.has(path.split('/').at(-1)) && !/\.(exs?|h?eex|md)$/.test(path);
    const text = named ? tree.read(path) : undefined;
    return text?.startsWith('#!') ? [{ path, text }] : [];
  });
}

/** What Fly starts: the image's command, release_command and [processes]. */
function started(file: Dockerfile, { fly }: Repo): string[] {
  const processes = fly
    ? tablesAt(fly.table, 'processes').flatMap(({ data }) => Object.values(data))
    : [];
  const words = [fly?.deploy.release_command, ...processes].join(' ').split(/[\s'"]+/);
  return [
    ...startSteps(file.final).flatMap(programs),
    ...words.filter((word) => word.includes('/')),
  ];
}

/** Names of releases that mix.exs has; undefined where that can't be known. */
function releasesOf({ project }: Repo): string[] | undefined {
  const { name, names } = project.release;
  if (names.length) return names;
  return name === null || project.umbrella ? undefined : [name, project.app.otpApp];
}

/** Releases that are copied or started, and that nothing makes. */
function strangers(file: Dockerfile, repo: Repo) {
  const releases = releasesOf(repo);
  const { steps } = file.final;
  const home = last(file.final, 'WORKDIR')?.commands[0]?.[0]?.replace(/\/$/, '');
  const overlays = `${relFolder(repo.project, repo.release)}/overlays/bin/`;
  const isMade = (name: string, by: Step) =>
    repo.project.tree.paths.has(`${overlays}${name}`) ||
    steps.some((step) => step !== by && step.text.includes(`bin/${name}`));
  const copied = steps.flatMap((step) =>
    (sourceStage(file, step) ? sourcesOf(step) : []).flatMap((source) => {
      const [, name] = /(?:^|\/)rel\/(\w+)$/.exec(source) ?? [];
      return name ? [{ line: step.line, name }] : [];
    }),
  );
  const runs = startSteps(file.final).flatMap((step) =>
    programs(step).flatMap((program) => {
      const [, folder = '', name = ''] = /^(.*?)\/?bin\/([\w-]+)$/.exec(program) ?? [];
      const ours = folder === home || folder === '.' || (folder === '' && !program.startsWith('/'));
      return name && ours && !isMade(name, step) ? [{ line: step.line, name }] : [];
    }),
  );
  const built = buildOf(file).tasks.flatMap(({ text, step }) => {
    const [, name] = /^release\s+([a-z]\w*)/.exec(text) ?? [];
    return name ? [{ line: step.line, name }] : [];
  });
  return [...built, ...copied, ...runs]
    .filter(({ name }) => releases && !releases.includes(name))
    .map((found) => ({ ...found, release: repo.release }));
}

const EXEC = /(^|&&|;)\s*([A-Z_]\w*=\S*\s+)*exec\s/m;

/** Shells and scripts that stay between Fly and the VM. */
function deaf(file: Dockerfile, repo: Repo) {
  const starts = startSteps(file.final);
  const shells = starts.filter(({ text, commands: [line = []] }) => {
    const inShell =
      /^(\/bin\/)?(ba)?sh$/.test(line[0] ?? '') && line[1] === '-c' ? line[2] : 'exec ';
    return !EXEC.test((text.startsWith('[') ? inShell : text) ?? '');
  });
  const scripts = scriptsOf(repo, starts.flatMap(programs)).filter(
    ({ text }) => !EXEC.test(text) && /\b(start|server)\b/.test(text),
  );
  return [
    ...shells.map(({ line }) => ({ line, edit: `write: ${startOf(repo)}` })),
    ...scripts.map(({ path, text }) => ({
      file: path,
      line: text.trimEnd().split('\n').length,
      edit: 'put `exec` in front of its last command',
    })),
  ];
}

/** Scripts of the release that are started, and that git holds without the executable bit. */
function notExecutable(file: Dockerfile, repo: Repo) {
  const { tree } = repo.project;
  const copies = file.final.own.flatMap((step) => (isContextCopy(step) ? sourcesOf(step) : []));
  const mended = file.stages.some(({ own }) =>
    own.some(({ text, flags }) => /chmod[\s=]/.test([...flags, text].join(' '))),
  );
  return (mended ? [] : scriptsOf(repo, started(file, repo)))
    .filter(({ path }) => path.includes('/overlays/') || copies.includes(path))
    .filter(({ path }) => tree.executable?.(path) === false)
    .map(({ path }) => ({ file: path }));
}

function silent(file: Dockerfile, repo: Repo) {
  const { app, endpoint } = repo.project;
  const boot = repo.boot();
  const server = setting(boot, app.otpApp, endpoint.module, 'server');
  if (server instanceof Unknown)
    return [new Doubt(`whether it serves HTTP is decided by ${server.why}`)];
  // An app may have several endpoints
  const serves = pairs(boot.apps.get(app.otpApp)).some(
    ([, value]) => get(value, 'server') === true,
  );
  const asked =
    serves ||
    /^(true|1)$/.test(repo.machine.PHX_SERVER ?? '') ||
    startSteps(file.final).some(({ text }) => text.includes('phx.server'));
  return when(!asked, { line: startLine(file) });
}

/** R1.5: EXPOSE, PORT and internal_port say the same. R1.6: the release starts by itself, hears SIGTERM, serves HTTP. */
export const startRules: readonly Rule[] = [
  r15.should(
    (file, { fly, machine }) => {
      const expose = last(file.final, 'EXPOSE');
      const ports = expose?.text.replaceAll('/tcp', '') ?? '';
      const wanted = machine.PORT ?? String(fly?.service?.internalPort ?? 4000);
      if (ports.includes('$')) return new Doubt(`what EXPOSE ${ports} is without a build argument`);
      return ports !== wanted && { line: expose?.line ?? startLine(file), ports, wanted };
    },
    ({ ports, wanted }) => `EXPOSE says ${ports || 'nothing'}, the app listens on ${wanted}`,
    ({ wanted }) => `here, write: EXPOSE ${wanted}`,
  ),
  r16.must(
    ({ final }, repo) => {
      const starts = startSteps(final).length || repo.fly?.table.processes;
      return !starts && { start: startOf(repo) };
    },
    'nothing says how the release starts',
    ({ start }) => `at the end, add: ${start}`,
  ),
  r16.must(
    strangers,
    ({ name }) => `there is no ${name}: mix.exs has no such release, rel/overlays no such script`,
    ({ release }) => `write ${release}`,
  ),
  r16.must(
    notExecutable,
    'it is started, but is not executable: permission denied',
    ({ file }) => `git update-index --chmod=+x ${file}`,
  ),
  r16.should(deaf, 'a shell starts the VM and does not pass SIGTERM on to it', ({ edit }) => edit),
  r16.should(
    ({ final }, repo) =>
      startSteps(final)
        .filter(({ commands: [line = []] }) => /(^|\s)mix(\s|$)|phx\.server/.test(line.join(' ')))
        .map(({ line }) => ({ line, start: startOf(repo) })),
    'it starts with mix, not a release',
    ({ start }) => `write: ${start}`,
  ),
  r16.should(
    ({ final }) => {
      const step = final.steps.findLast(({ pairs: all }) =>
        all.some(([, text]) => /inet6_tcp/.test(text)),
      );
      return step && { line: step?.line };
    },
    'nodes use IPv6 everywhere, so with plain docker run the VM may not start',
    'remove it; rel/env.sh.eex sets it on Fly (`npx plop env-sh`)',
  ),
  r16.must(
    silent,
    'nothing sets PHX_SERVER, so the release starts without its web server',
    'before this line, add: ENV PHX_SERVER=true',
  ),
];
