import { relFolder } from '../docker/release-files.ts';
import { get, pairs, Unknown } from '../elixir/value.ts';
import { tablesAt } from '../fly/fly-config.ts';
import { setting } from './boot.ts';
import {
  type Dockerfile,
  last,
  programs,
  rootStage,
  type Step,
  sourceStage,
  sourcesOf,
  startSteps,
} from './dockerfile-model.ts';
import { systemOf } from './image-name.ts';
import type { Repo } from './repo.ts';
import { DOCKERFILE } from './requirements.ts';
import { Doubt, type Rule, rulesFor, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);
const startOf = ({ release }: Repo): string => `CMD ["/app/bin/${release}", "start"]`;
const startLine = ({ final }: Dockerfile): number =>
  last(final, 'CMD')?.line ?? last(final, 'ENTRYPOINT')?.line ?? final.line;

/** The text that a shell gets, of the shell form and of `["sh", "-c", "…"]`. */
function shellText({ text, commands: [line = []] }: Step): string | undefined {
  if (!text.startsWith('[')) return text;
  return /^(\/bin\/)?(ba)?sh$/.test(line[0] ?? '') && line[1] === '-c' ? line[2] : undefined;
}

const EXEC = /^\s*([A-Z_]\w*=\S*\s+)*exec\s/m;

interface Script {
  path: string;
  text: string;
}

/** Scripts of the repo's that a command runs: overlays of the release, and others that begin with #!. */
function scriptsOf({ project: { tree } }: Repo, names: readonly string[]): Script[] {
  const files = names.map((name) => name.split('/').at(-1) ?? '');
  return [...tree.paths].flatMap((path) => {
    const named = files.includes(path.split('/').at(-1) ?? '');
    const text = named && !/\.(ex|exs|eex|heex|md)$/.test(path) ? tree.read(path) : undefined;
    return text?.startsWith('#!') ? [{ path, text }] : [];
  });
}

/** Programs that Fly starts: those of the image's command, of release_command and of [processes]. */
function started(file: Dockerfile, { fly }: Repo): string[] {
  const processes = fly ? tablesAt(fly.table, 'processes').map(({ data }) => data) : [];
  const commands = [fly?.deploy.release_command, ...processes.flatMap(Object.values)];
  const words = commands.flatMap((command) => String(command ?? '').split(/[\s'"]+/));
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

/** `bin/NAME` of a command that nothing puts there: no release, overlay, copy or link. */
function strangers(file: Dockerfile, repo: Repo) {
  const releases = releasesOf(repo);
  if (!releases) return [];
  const overlays = `${relFolder(repo.project, repo.release)}/overlays/bin/`;
  const home = last(file.final, 'WORKDIR')?.commands[0]?.[0]?.replace(/\/$/, '') ?? '';
  return startSteps(file.final).flatMap((step) =>
    programs(step).flatMap((program) => {
      const [, folder = '', name = ''] = /^(.*?)\/?bin\/([\w-]+)$/.exec(program) ?? [];
      const inRelease = name && (folder === home || folder === '' || folder === '.');
      const made =
        releases.includes(name) ||
        repo.project.tree.paths.has(`${overlays}${name}`) ||
        /^\/bin\//.test(program) ||
        file.final.steps.some((one) => one !== step && one.text.includes(`bin/${name}`));
      return inRelease && !made ? [{ line: step.line, name, start: startOf(repo) }] : [];
    }),
  );
}

/** R1.5: EXPOSE, PORT and internal_port say the same. */
const portRule = rule({
  id: 'R1.5',
  weight: 'should',
  find: (file, { fly, machine }) => {
    const expose = last(file.final, 'EXPOSE');
    const ports = (expose?.commands[0] ?? []).map((port) => port.replace(/\/tcp$/, ''));
    const wanted = machine.PORT ?? String(fly?.service?.internalPort ?? 4000);
    if (ports.some((port) => port.includes('$')))
      return [new Doubt(`EXPOSE ${ports.join(' ')} comes from a build argument without a default`)];
    const same = ports.length === 1 && ports[0] === wanted;
    return when(!same, { line: expose?.line ?? startLine(file), ports, wanted });
  },
  say: ({ ports, wanted }) =>
    ports.length ? `EXPOSE says ${ports.join(' ')}, the app listens on ${wanted}` : 'no EXPOSE',
  mend: ({ ports, wanted }) =>
    `${ports.length ? 'write' : 'before this line, add'}: EXPOSE ${wanted}`,
});

/** R1.6: the release starts by itself, hears SIGTERM, and serves HTTP. */
export const startRules: readonly Rule[] = [
  portRule,
  rule({
    id: 'R1.6',
    weight: 'must',
    find: ({ final }, repo) => {
      const starts = startSteps(final).length || repo.fly?.table.processes;
      return when(!starts, { start: startOf(repo) });
    },
    say: () => 'nothing says how the release starts',
    mend: ({ start }) => `at the end, add: ${start}`,
  }),
  rule({
    id: 'R1.6',
    weight: 'must',
    find: strangers,
    say: ({ name }) =>
      `bin/${name} is not in the image: mix.exs has no such release, and rel/overlays no such file`,
    mend: ({ start }) => `write: ${start}`,
  }),
  rule({
    id: 'R1.6',
    weight: 'must',
    find: (file, repo) => {
      const releases = releasesOf(repo);
      return file.final.steps.flatMap((step) => {
        const from = step.keyword === 'COPY' && sourceStage(file, step) ? sourcesOf(step) : [];
        const names = from.flatMap((source) => /(?:^|\/)rel\/(\w+)$/.exec(source)?.[1] ?? []);
        return names
          .filter((name) => releases && !releases.includes(name))
          .map((name) => ({ line: step.line, name, release: repo.release }));
      });
    },
    say: ({ name }) => `mix.exs has no release ${name}, so the build stops here`,
    mend: ({ release }) => `write ${release}`,
  }),
  rule({
    id: 'R1.6',
    weight: 'must',
    find: (file, repo) => {
      const { tree } = repo.project;
      const made = file.stages.some(({ own }) =>
        own.some(({ text }) => /chmod\s.*\bx|chmod\s.*[157]/.test(text)),
      );
      const scripts = made ? [] : scriptsOf(repo, started(file, repo));
      return scripts
        .filter(({ path }) => path.includes('/overlays/') && tree.executable?.(path) === false)
        .map(({ path }) => ({ file: path }));
    },
    say: () => 'it is started, but not executable: permission denied',
    mend: ({ file }) => `chmod +x ${file}, and commit that (git update-index --chmod=+x ${file})`,
  }),
  rule({
    id: 'R1.6',
    weight: 'should',
    find: ({ final }, repo) =>
      startSteps(final)
        .filter((step) => !/(^|&&|;)\s*([A-Z_]\w*=\S*\s+)*exec\s/.test(shellText(step) ?? 'exec '))
        .map(({ line }) => ({ line, start: startOf(repo) })),
    say: () => 'a shell stands between Fly and the VM, and SIGTERM ends at the shell',
    mend: ({ start }) => `write: ${start}`,
  }),
  rule({
    id: 'R1.6',
    weight: 'should',
    find: ({ final }, repo) =>
      startSteps(final)
        .filter(({ commands }) => /(^|\s)mix(\s|$)|phx\.server/.test((commands[0] ?? []).join(' ')))
        .map(({ line }) => ({ line, start: startOf(repo) })),
    say: () => 'it starts with mix, not a release',
    mend: ({ start }) => `write: ${start}`,
  }),
  rule({
    id: 'R1.6',
    weight: 'should',
    find: ({ final }, repo) =>
      scriptsOf(repo, startSteps(final).flatMap(programs))
        .filter(({ text }) => !EXEC.test(text) && /\b(start|server)\b/.test(text))
        .map(({ path, text }) => ({ file: path, line: text.trimEnd().split('\n').length })),
    say: () => 'the script does not exec the release, so SIGTERM ends at the script',
    mend: () => 'put `exec` in front of its last command',
  }),
  rule({
    id: 'R1.6',
    weight: 'should',
    find: ({ final }) => {
      const step = final.steps.findLast(
        (one) => one.keyword === 'ENV' && /inet6_tcp/.test(one.text),
      );
      return when(step, { line: step?.line });
    },
    say: () =>
      'the VM speaks IPv6 to other nodes everywhere, so with plain docker run it may not start',
    mend: () => 'remove it; rel/env.sh.eex sets it on Fly (`npx plop env-sh`)',
  }),
  rule({
    id: 'R1.6',
    weight: 'must',
    find: (file, repo) => {
      const { app, endpoint } = repo.project;
      const started = repo.boot();
      const server = setting(started, app.otpApp, endpoint.module, 'server');
      if (server instanceof Unknown)
        return [new Doubt(`whether it serves HTTP is decided by ${server.why}`)];
      // An app may have several endpoints
      const endpoints = pairs(started.apps.get(app.otpApp)).map(([, value]) =>
        get(value, 'server'),
      );
      const asked = endpoints.includes(true) || /^(true|1)$/.test(repo.machine.PHX_SERVER ?? '');
      return when(!asked, { line: startLine(file) });
    },
    say: () => 'nothing sets PHX_SERVER, so the release starts without its web server',
    mend: () => 'before this line, add: ENV PHX_SERVER=true',
  }),
];

/** The locale that the image sets; undefined where the VM takes UTF-8 anyway. */
function localeOf({ final: { env } }: Dockerfile): string | undefined {
  const options = env.get('ELIXIR_ERL_OPTIONS') ?? env.get('ERL_FLAGS') ?? '';
  return /\+fnu/.test(options) ? undefined : (env.get('LC_ALL') ?? env.get('LANG') ?? '');
}

/** B2: names of files come out of Erlang as they are only with a UTF-8 locale. */
export const localeRules: readonly Rule[] = [
  rule({
    id: 'B2',
    weight: 'should',
    find: (file) => when(!/utf-?8/i.test(localeOf(file) ?? 'utf8'), { line: startLine(file) }),
    say: () => 'the VM runs with native name encoding of latin1',
    mend: () => 'before this line, add: ENV LANG=C.UTF-8',
  }),
  rule({
    id: 'B2',
    weight: 'should',
    find: (file) => {
      const locale = localeOf(file) ?? '';
      const { final } = file;
      const made =
        !/utf-?8/i.test(locale) ||
        /^C\./i.test(locale) ||
        systemOf(rootStage(final).image)?.family === 'alpine' ||
        final.steps.some(({ text }) => /locale-gen|localedef|locales-all|update-locale/.test(text));
      return when(!made, { line: startLine(file), locale });
    },
    say: ({ locale }) => `${locale} is not made in the image`,
    mend: () => 'write: ENV LANG=C.UTF-8, which is always there',
  }),
];
