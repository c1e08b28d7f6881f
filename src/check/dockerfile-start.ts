import { relFolder } from '../docker/release-files.ts';
import { get, pairs, Unknown } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { scriptsOf } from './boot.ts';
import {
  type Dockerfile,
  last,
  programs,
  type Step,
  startLine,
  startSteps,
} from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor } from './rule.ts';

const r15 = rulesFor(DOCKERFILE, 'R1.5');
const r16 = rulesFor(DOCKERFILE, 'R1.6');

const startOf = ({ release }: Repo): string => `CMD ["/app/bin/${release}", "start"]`;

/** A release by its task, its folder or its script. */
const RELEASE = /^release\s+([a-z]\w*)|\brel\/(\w+)\/?\s|(?:^|\s)(?:\.\/)?bin\/([\w-]+)/;

/** Releases that are built, copied or started, and that neither mix.exs nor a step has. */
function strangers({ build, final }: Dockerfile, { project, release }: Repo) {
  const { name: main, names } = project.release;
  if (!names.length && (main === null || project.umbrella)) return [];
  const releases = names.length ? names : [main, project.app.otpApp];
  const home = `${last(final, 'WORKDIR')?.words[0] ?? ''}/`;
  const made = final.steps.filter(({ keyword }) => /RUN|COPY/.test(keyword));
  const isMade = (name: string) =>
    releases.includes(name) ||
    project.tree.paths.has(`${relFolder(project, release)}/overlays/bin/${name}`) ||
    made.some(({ text }) => text.includes(`bin/${name}`));
  const starts = startSteps(final).map((step) => {
    return { line: step.line, text: programs(step).join(' ').replace(home, '') };
  });
  const copies = final.steps.filter(({ from }) => from);
  return [...build.tasks, ...copies, ...starts].map(({ line, text }) => {
    const name = RELEASE.exec(text)?.slice(1).find(Boolean);
    return name && !isMade(name) && { line, name };
  });
}

const EXEC = /(^|&&|;)\s*([A-Z_]\w*=\S*\s+)*exec\s/m;

/** Shells and scripts that stay between Fly and the VM. */
function deaf({ final }: Dockerfile, repo: Repo) {
  const starts = startSteps(final);
  const shells = starts.filter(({ text, words: [command = '', option, inShell = ''] }) => {
    const isShell = /^(\/bin\/)?(ba)?sh$/.test(command) && option === '-c';
    return text.startsWith('[') ? isShell && !EXEC.test(inShell) : !EXEC.test(text);
  });
  const scripts = scriptsOf(repo.project, starts.flatMap(programs))
    .filter(({ text }) => !EXEC.test(text) && /\b(start|server)\b/.test(text))
    .map(({ file, text }) => ({ file, line: text.trimEnd().split('\n').length }));
  const edit = `write: ${startOf(repo)}`;
  return [
    ...scripts.map((found) => ({ ...found, edit: 'put `exec` in front of its last command' })),
    ...shells.map(({ line }) => ({ file: undefined, line, edit })),
  ];
}

/** A shell reads the script that it is given, and needs no executable bit for it. */
const isRead = ({ words: [command = '', script = '-'] }: Step): boolean =>
  /^(\S*\/)?(ba|da)?sh$/.test(command) && !script.startsWith('-');

/** Scripts that the image, release_command or [processes] starts, and that git holds without the executable bit. */
function notExecutable({ final, steps }: Dockerfile, { project, fly }: Repo) {
  if (steps.some(({ text, flags }) => /chmod[\s=]/.test(`${flags} ${text}`))) return [];
  const processes = fly ? tablesAt(fly.table, 'processes') : [];
  const commands = processes.flatMap(({ data }) => Object.values(data));
  const words = [fly?.deploy.release_command, ...commands].join(' ').split(/[\s'"]+/);
  const copied = final.steps.flatMap(({ sources }) => sources);
  const started = [
    ...startSteps(final).flatMap((step) => (isRead(step) ? [] : programs(step))),
    ...words.filter((word) => word.includes('/')),
  ];
  return scriptsOf(project, started)
    .filter(({ file }) => file.includes('/overlays/') || copied.includes(file))
    .filter(({ file }) => project.tree.executable?.(file) === false);
}

function silent(file: Dockerfile, repo: Repo) {
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
  r15.should((file, { fly, machine }) => {
    const expose = last(file.final, 'EXPOSE');
    const ports = expose?.text.replaceAll('/tcp', '').trim() ?? '';
    const wanted = machine.PORT ?? String(fly?.service?.internalPort ?? 4000);
    const says = ports || 'nothing';
    if (ports.includes('$')) return new Doubt(`what EXPOSE ${ports} is without a build argument`);
    return ports !== wanted && { line: expose?.line ?? startLine(file), says, wanted };
  })`EXPOSE says ${'says'}, the app listens on ${'wanted'}
    => here, write: EXPOSE ${'wanted'}`,
  r16.must(({ final }, repo) => !startSteps(final).length && !repo.fly?.table.processes)`
    nothing says how the release starts
    => at the end, add: ${(_, repo) => startOf(repo)}`,
  r16.must(strangers)`
    there is no ${'name'}: mix.exs has no such release, rel/overlays no such script
    => write ${(_, { release }) => release}`,
  r16.must(notExecutable)`it is started, but is not executable: permission denied
    => git update-index --chmod=+x ${'file'}`,
  r16.must(({ final }, { project: { tree } }) => {
    const copied = final.steps.flatMap(({ sources }) => sources);
    const scripts = [...tree.paths].filter(
      (file) => /\brel\/overlays\//.test(file) || copied.includes(file),
    );
    return scripts
      .filter((file) => /^#!.*\r\n/.test(tree.read(file) ?? ''))
      .map((file) => ({ file, line: 1 }));
  })`its lines end in CRLF, so the system looks for an interpreter of another name: not found
    => save it with LF endings, and add to .gitattributes: rel/** text eol=lf`,
  r16.should(deaf)`a shell starts the VM and does not pass SIGTERM on to it
    => ${'edit'}`,
  r16.should(({ final }) =>
    startSteps(final).filter(({ words }) => /(^|\s)mix(\s|$)/.test(words.join(' '))),
  )`it starts with mix, not a release
    => write: ${(_, repo) => startOf(repo)}`,
  r16.should(({ final }) =>
    final.steps.findLast(({ keyword, text }) => keyword === 'ENV' && text.includes('inet6_tcp')),
  )`nodes use IPv6 everywhere, so with plain docker run the VM may not start
    => remove it; rel/env.sh.eex sets it on Fly (\`npx plop env-sh\`)`,
  r16.must(silent)`nothing sets PHX_SERVER, so the release starts without its web server
    => before this line, add: ENV PHX_SERVER=true`,
];
