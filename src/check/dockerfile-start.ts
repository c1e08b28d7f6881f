import { relFolder } from '../docker/release-files.ts';
import { get, pairs, Unknown } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import {
  type Dockerfile,
  lastStep,
  type Step,
  startedPaths,
  startLine,
  startSteps,
} from './dockerfile-model.ts';
import { scriptsNamed } from './machine-env.ts';
import type { Repo } from './repo.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const port = rulesFor<Dockerfile>('R1.5');
const start = rulesFor<Dockerfile>('R1.6');

const startCommand = ({ release }: Repo): string => `CMD ["/app/bin/${release}", "start"]`;

function wrongPort(file: Dockerfile, { fly, machine }: Repo) {
  const expose = lastStep(file.final, 'EXPOSE');
  const ports = expose?.text.replaceAll('/tcp', '').trim() || 'nothing';
  if (ports.includes('$')) return new Doubt(`what EXPOSE ${ports} is without a build argument`);
  const wanted = machine.PORT ?? String(fly?.service?.internalPort ?? 4000);
  return ports !== wanted && { line: expose?.line ?? startLine(file), ports, wanted };
}

/** A release by its task, its folder or its script: `release shop`, `rel/shop`, `bin/shop`. */
const RELEASE = /^release\s+([a-z]\w*)|\brel\/(\w+)\/?\s|(?:^|\s)(?:\.\/)?bin\/([\w-]+)/;

/** Releases and scripts that are built, copied or started, and that neither mix.exs, rel/overlays nor a step has. */
function unknownReleases({ build, final }: Dockerfile, { project, release }: Repo) {
  const { name: defaultName, names } = project.release;
  if (!names.length && (defaultName === null || project.umbrella)) return [];
  const releases = names.length ? names : [defaultName, project.app.otpApp];
  const overlays = `${relFolder(project, release)}/overlays`;
  const commands = final.steps.filter(({ keyword }) => /RUN|COPY/.test(keyword));
  const isKnown = (name: string) =>
    releases.includes(name) ||
    project.tree.paths.has(`${overlays}/bin/${name}`) ||
    commands.some(({ text }) => text.includes(`bin/${name}`));
  const copies = final.steps.filter(({ from }) => from);
  const home = `${lastStep(final, 'WORKDIR')?.words[0] ?? ''}/`;
  const starts = startSteps(final).map((step) => {
    return { line: step.line, text: startedPaths(step).join(' ').replace(home, '') };
  });
  return [...build.tasks, ...copies, ...starts].map(({ line, text }) => {
    const name = RELEASE.exec(text)?.slice(1).find(Boolean);
    return name && !isKnown(name) && { line, name };
  });
}

/** `exec bin/shop`, also behind another command or variables: `cd /app && PORT=80 exec bin/shop`. */
const EXEC = /(^|&&|;)\s*([A-Z_]\w*=\S*\s+)*exec\s/m;

/** Whether a shell stays between Fly and the VM: the shell form, or `["sh", "-c", …]`, without exec. */
function staysShell({ text, words: [program = '', option, command = ''] }: Step): boolean {
  if (!text.startsWith('[')) return !EXEC.test(text);
  return /^(\/bin\/)?(ba)?sh$/.test(program) && option === '-c' && !EXEC.test(command);
}

function shellsAroundVm({ final }: Dockerfile, repo: Repo) {
  const starts = startSteps(final);
  const scripts = scriptsNamed(repo.project, starts.flatMap(startedPaths))
    .filter(({ text }) => !EXEC.test(text) && /\b(start|server)\b/.test(text))
    .map(({ file, text }) => ({ file, line: text.trimEnd().split('\n').length }));
  const shells = starts.filter(staysShell);
  const edit = `write: ${startCommand(repo)}`;
  return [
    ...scripts.map((script) => ({ ...script, edit: 'put `exec` in front of its last command' })),
    ...shells.map(({ line }) => ({ file: undefined, line, edit })),
  ];
}

/** `sh script`: the shell reads the script, and needs no executable bit for it. */
const isReadByShell = ({ words: [program = '', script = '-'] }: Step): boolean =>
  /^(\S*\/)?(ba|da)?sh$/.test(program) && !script.startsWith('-');

/** Paths in release_command and [processes]. */
function flyCommands({ fly }: Repo): string[] {
  const processes = fly ? tablesAt(fly.table, 'processes') : [];
  const commands = processes.flatMap(({ data }) => Object.values(data));
  const words = [fly?.deploy.release_command, ...commands].join(' ').split(/[\s'"]+/);
  return words.filter((word) => word.includes('/'));
}

const copiedFiles = ({ final }: Dockerfile) => final.steps.flatMap(({ sources }) => sources);

/** Scripts of the repo that the image, release_command or [processes] starts. */
export const startedScripts = (
  { final }: Dockerfile,
  repo: Repo,
  steps: readonly Step[] = startSteps(final),
) => scriptsNamed(repo.project, [...steps.flatMap(startedPaths), ...flyCommands(repo)]);

/** Those that git holds without the executable bit. */
function notExecutable(file: Dockerfile, repo: Repo) {
  const isMadeExecutable = ({ flags, text }: Step) => /chmod[\s=]/.test(`${flags} ${text}`);
  if (file.steps.some(isMadeExecutable)) return [];
  const programs = startSteps(file.final).filter((step) => !isReadByShell(step));
  const copied = copiedFiles(file);
  return startedScripts(file, repo, programs)
    .filter((script) => script.file.includes('/overlays/') || copied.includes(script.file))
    .filter((script) => repo.project.tree.executable?.(script.file) === false);
}

/** Scripts of the image with CRLF behind `#!/bin/sh`. */
function scriptsWithCrlf(dockerfile: Dockerfile, { project: { tree } }: Repo) {
  const copied = copiedFiles(dockerfile);
  return [...tree.paths]
    .filter((path) => /\brel\/overlays\//.test(path) || copied.includes(path))
    .filter((path) => /^#!.*\r\n/.test(tree.read(path) ?? ''))
    .map((path) => ({ file: path, line: 1 }));
}

function noServer(file: Dockerfile, repo: Repo) {
  const { app, endpoint } = repo.project;
  const settings = repo.boot().apps.get(app.otpApp);
  const server = get(get(settings, endpoint.module), 'server');
  if (server instanceof Unknown)
    return new Doubt(`whether it serves HTTP is decided by ${server.why}`);
  // An app may have several endpoints
  const serves =
    pairs(settings).some(([, value]) => get(value, 'server') === true) ||
    /^(true|1)$/.test(repo.machine.PHX_SERVER ?? '') ||
    startSteps(file.final).some(({ text }) => text.includes('phx.server'));
  return !serves && { line: startLine(file) };
}

/** R1.5: EXPOSE, PORT and internal_port say the same. R1.6: the release starts by itself, hears SIGTERM, serves HTTP. */
export const startRules: readonly Rule[] = [
  port.should({
    find: wrongPort,
    what: ({ ports, wanted }) => `EXPOSE says ${ports}, the app listens on ${wanted}`,
    edit: ({ wanted }) => `here, write: EXPOSE ${wanted}`,
  }),
  start.must({
    find: ({ final }, repo) => !startSteps(final).length && !repo.fly?.table.processes,
    what: 'nothing says how the release starts',
    edit: (_, repo) => `at the end, add: ${startCommand(repo)}`,
  }),
  start.must({
    find: unknownReleases,
    what: ({ name }) =>
      `there is no ${name}: mix.exs has no such release, rel/overlays no such script`,
    edit: (_, { release }) => `write ${release}`,
  }),
  start.must({
    find: notExecutable,
    what: 'it is started, but is not executable: permission denied',
    edit: ({ file }) => `git update-index --chmod=+x ${file}`,
  }),
  start.must({
    find: scriptsWithCrlf,
    what: 'its lines end in CRLF, so the system looks for an interpreter of another name: not found',
    edit: 'save it with LF endings, and add to .gitattributes: rel/** text eol=lf',
  }),
  start.should({
    find: shellsAroundVm,
    what: 'a shell starts the VM and does not pass SIGTERM on to it',
    edit: ({ edit }) => `${edit}`,
  }),
  start.must({
    find: ({ build: { release } }) => release?.text.startsWith('distillery.') && release,
    what: "Distillery's releases read neither config/runtime.exs nor rel/env.sh.eex",
    edit: 'write: mix release (--conflict replace writes a Dockerfile that does)',
  }),
  start.should({
    find: ({ final }) =>
      startSteps(final).filter(({ words }) => /(^|\s)mix(\s|$)/.test(words.join(' '))),
    what: 'it starts with mix, not a release',
    edit: (_, repo) => `write: ${startCommand(repo)}`,
  }),
  start.should({
    find: ({ final }) =>
      final.steps.findLast(({ keyword, text }) => keyword === 'ENV' && text.includes('inet6_tcp')),
    what: 'nodes use IPv6 everywhere, so with plain docker run the VM may not start',
    edit: 'remove it; rel/env.sh.eex sets it on Fly (`npx plop env-sh`)',
  }),
  start.must({
    find: noServer,
    what: 'nothing sets PHX_SERVER, so the release starts without its web server',
    edit: 'before this line, add: ENV PHX_SERVER=true',
  }),
];
