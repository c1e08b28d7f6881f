import { Unknown } from '../elixir/value.ts';
import { setting } from './boot.ts';
import { systemOf } from './dockerfile-base.ts';
import {
  assignments,
  chain,
  type Dockerfile,
  env,
  flag,
  last,
  packages,
  programs,
  rootStage,
  type Step,
  sourceStage,
} from './dockerfile-model.ts';
import type { Read, Repo } from './repo.ts';
import { type Findings, found, type Missing, unless } from './verdict.ts';

type File = Read<Dockerfile>;
const at = ({ path }: File, line: number | undefined, what: string, edit: string): Missing => ({
  what,
  edit,
  file: path,
  line,
});

/** What a release links to, by the package names of each system: any of a row will do. */
const LINKED: Record<'alpine' | 'debian', [library: string, packages: RegExp, name: string][]> = {
  alpine: [
    ['CA certificates', /^ca-certificates$/, 'ca-certificates'],
    [
      'the C++ library (the VM compiles code with it)',
      /^(libstdc\+\+|g\+\+|build-base)$/,
      'libstdc++',
    ],
    ['OpenSSL', /^(openssl.*|libssl.*|libcrypto.*)$/, 'openssl'],
    ['ncurses', /^(ncurses|bash$|postgresql\d*-client)/, 'ncurses-libs'],
  ],
  debian: [
    ['CA certificates', /^ca-certificates$/, 'ca-certificates'],
    [
      'the C++ library (the VM compiles code with it)',
      /^(libstdc\+\+6|g\+\+|build-essential)$/,
      'libstdc++6',
    ],
    ['OpenSSL', /^(openssl|libssl.*)$/, 'openssl'],
    ['ncurses', /^(libncurses|ncurses|libtinfo)/, 'libncurses6'],
  ],
};

/** R1.3: CA certificates and the libraries that the release links to. */
export function runtimePackages({ project }: Repo, file: File): Findings {
  const { final } = file.file;
  const root = rootStage(final);
  const system = systemOf(root.image);
  if (!system) return found([], [`what ${root.image} brings along can't be told from its name`]);
  if (/elixir|erlang/.test(root.image)) return found();
  const family = system.family === 'alpine' ? 'alpine' : 'debian';
  const installed = [...packages(chain(final))];
  const step = chain(final).find((one) => packages([one]).size > 0);
  const lacking = LINKED[family].filter(
    ([, pattern]) => !installed.some((name) => pattern.test(name)),
  );
  const missing = lacking.map(([library, , name]) =>
    at(
      file,
      step?.line ?? final.line,
      `the image installs no ${name}: ${library}`,
      step
        ? `add ${name} to this list`
        : `after this line, add: RUN ${family === 'alpine' ? 'apk add --no-cache' : 'apt-get update && apt-get install -y --no-install-recommends'} ${name}`,
    ),
  );
  if (system.release === 'trixie' && installed.includes('libncurses5'))
    missing.push(at(file, step?.line, 'Debian trixie has no libncurses5', 'write libncurses6'));
  const psql =
    installed.some((name) => /^postgresql\d*-client/.test(name)) ||
    chain(final).some((one) => one.keyword === 'COPY' && /\bpsql\b/.test(one.text));
  return found(
    missing,
    [],
    unless(
      psql || project.database.adapter !== 'postgres',
      'psql was left out of the image; `npx plop dockerfile -- --psql yes` puts it in',
    ),
  );
}

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|DATABASE_URL|_DSN)/;
const PUBLIC = /PUBLIC|PUBLISHABLE|_ID$|_FILE$|_PATH$|FINGERPRINT|SITE_?KEY/;
/** A variable whose name says that nobody may read its value. */
export const isSecretName = (name: string): boolean =>
  SECRET.test(name.toUpperCase()) && !PUBLIC.test(name.toUpperCase());

/** An address with a password in it. */
export const hasPassword = (value: string): boolean => /:\/\/[^/:@\s]*:[^@\s]+@/.test(value);

/** R1.4: a user that is not root, code that it can't change, a place where it may write, and no secrets inside. */
export function user(_repo: Repo, file: File): Findings {
  const { final, stages } = file.file;
  const steps = chain(final);
  const missing: Missing[] = [];
  const who = last(final, 'USER');
  const name = who?.text.trim().split(':')[0] ?? 'root';
  if (/^(root|0)$/.test(name))
    missing.push(
      at(
        file,
        who?.line ?? last(final, 'CMD')?.line ?? final.line,
        'the app runs as root',
        `${who ? 'write' : 'before this line, add'}: USER 65534:65534`,
      ),
    );
  const owned = steps.filter(
    (step) =>
      step.keyword === 'COPY' &&
      sourceStage(file.file, step) &&
      flag(step, 'chown') !== undefined &&
      !/^(root|0)\b/.test(flag(step, 'chown') ?? ''),
  );
  for (const step of owned)
    missing.push(
      at(
        file,
        step.line,
        `the running app can change its own code (--chown=${flag(step, 'chown')})`,
        'remove --chown, and add: ENV RELEASE_TMP=/tmp',
      ),
    );
  const chowns = steps.filter(
    (step) =>
      step.keyword === 'RUN' &&
      step.commands.some(
        (command) =>
          command[0] === 'chown' &&
          command.some((word) => word.startsWith('-R') || /^\/?app\/?$/.test(word)) &&
          !command.some((word) => /^(root|0)(:|$)/.test(word)),
      ),
  );
  for (const step of chowns)
    missing.push(
      at(
        file,
        step.line,
        'the folder of the code belongs to the running app',
        'remove this chown, and add: ENV RELEASE_TMP=/tmp',
      ),
    );
  const writable = env(final).get('RELEASE_TMP');
  if (!writable && owned.length === 0 && !/^(root|0)$/.test(name))
    missing.push(
      at(
        file,
        who?.line,
        'the release writes to its tmp folder at boot, and may not',
        'before this line, add: ENV RELEASE_TMP=/tmp',
      ),
    );
  for (const step of stages.flatMap((stage) => stage.steps)) {
    if (!/^(ENV|ARG)$/.test(step.keyword)) continue;
    for (const [variable, value] of assignments(step.text))
      if (isSecretName(variable) && !(variable.endsWith('_URL') && !hasPassword(value)))
        missing.push(
          at(
            file,
            step.line,
            `${step.keyword} ${variable} stays in the image's history, where everybody reads it`,
            `remove it; at run time: fly secrets set ${variable}=…; while building: RUN --mount=type=secret,id=${variable} …`,
          ),
        );
  }
  const old = stages
    .flatMap((stage) => stage.steps)
    .filter((step) => step.keyword === 'ENV' && /^\w+\s+[^=\s]/.test(step.text));
  if (old.length)
    missing.push(
      at(
        file,
        old[0]?.line,
        'ENV with a space is the old form, which Docker warns of',
        `write:\n${old
          .map(
            (step) =>
              `ENV ${assignments(step.text)
                .map(([key, value]) => `${key}=${/\s/.test(value) ? JSON.stringify(value) : value}`)
                .join(' ')}   # line ${step.line}`,
          )
          .join('\n')}`,
      ),
    );
  return found(missing);
}

/** R1.5: EXPOSE, PORT and internal_port say the same. */
export function exposedPort({ fly, machine }: Repo, file: File): Findings {
  const expose = last(file.file.final, 'EXPOSE');
  const ports = (expose?.commands[0] ?? []).map((port) => port.replace(/\/tcp$/, ''));
  const wanted = machine.PORT ?? String(fly?.service?.internalPort ?? 4000);
  const cmd = last(file.file.final, 'CMD') ?? last(file.file.final, 'ENTRYPOINT');
  if (!expose)
    return found([at(file, cmd?.line, 'no EXPOSE', `before this line, add: EXPOSE ${wanted}`)]);
  if (ports.some((port) => port.includes('$')))
    return found([], [`EXPOSE ${ports.join(' ')} comes from a build argument without a default`]);
  return found(
    unless(
      ports.length === 1 && ports[0] === wanted,
      at(
        file,
        expose.line,
        `EXPOSE says ${ports.join(' ')}, the app listens on ${wanted}`,
        `write: EXPOSE ${wanted}`,
      ),
    ),
  );
}

/** R1.6: the release starts by itself, hears SIGTERM, and serves HTTP. */
export function startCommand(repo: Repo, file: File): Findings {
  const { project, release, machine, fly } = repo;
  const { final } = file.file;
  const [cmd, entrypoint] = [last(final, 'CMD'), last(final, 'ENTRYPOINT')];
  const wanted = `CMD ["/app/bin/${release}", "start"]`;
  const processes = fly?.table.processes;
  if (!cmd && !entrypoint && !processes)
    return found([
      at(file, undefined, 'nothing says how the release starts', `at the end, add: ${wanted}`),
    ]);
  const missing: Missing[] = [];
  const unknown: string[] = [];
  for (const step of [cmd, entrypoint]) {
    if (!step) continue;
    const line = step.commands[0] ?? [];
    const shell = step.text.startsWith('[')
      ? /^(sh|bash|\/bin\/(sh|bash))$/.test(line[0] ?? '') && line[1] === '-c'
        ? (line[2] ?? '')
        : undefined
      : step.text;
    if (shell !== undefined && !/(^|&&|;)\s*([A-Z_]\w*=\S*\s+)*exec\s/.test(shell))
      missing.push(
        at(
          file,
          step.line,
          'a shell stands between Fly and the VM, and SIGTERM ends at the shell',
          `write: ${wanted}`,
        ),
      );
    if (/mix(\s|$)|phx\.server/.test(line.join(' ')))
      missing.push(at(file, step.line, 'it starts with mix, not a release', `write: ${wanted}`));
    const script = scriptOf(repo, step);
    if (
      script &&
      !/^\s*([A-Z_]\w*=\S*\s+)*exec\s/m.test(script.text) &&
      /\b(start|server)\b/.test(script.text)
    )
      missing.push({
        what: 'the script does not exec the release, so SIGTERM ends at the script',
        edit: 'put `exec` in front of its last command',
        file: script.path,
        line: script.text.trimEnd().split('\n').length,
      });
  }
  const ipv6 = chain(final).findLast(
    (step) => step.keyword === 'ENV' && /inet6_tcp/.test(step.text),
  );
  if (ipv6)
    missing.push(
      at(
        file,
        ipv6.line,
        'the VM speaks IPv6 to other nodes everywhere, so with plain docker run it may not start',
        'remove it; rel/env.sh.eex sets it on Fly (`npx plop env-sh`)',
      ),
    );
  const server = setting(repo.boot(), project.app.otpApp, project.endpoint.module, 'server');
  if (server instanceof Unknown) unknown.push(`whether it serves HTTP is decided by ${server.why}`);
  else if (server !== true && !/^(true|1)$/.test(machine.PHX_SERVER ?? ''))
    missing.push(
      at(
        file,
        cmd?.line ?? entrypoint?.line,
        'nothing sets PHX_SERVER, so the release starts without its web server',
        'before this line, add: ENV PHX_SERVER=true',
      ),
    );
  return found(missing, unknown);
}

/** A script of the repo's that the command runs. */
function scriptOf({ project }: Repo, step: Step): { path: string; text: string } | undefined {
  const names = programs(step);
  const path = [...project.tree.paths].find(
    (one) =>
      !/\.(ex|exs|eex|heex|md)$/.test(one) &&
      names.some((name) => one.endsWith(`/${name}`) || one === name) &&
      project.tree.read(one)?.startsWith('#!'),
  );
  return path === undefined ? undefined : { path, text: project.tree.read(path) ?? '' };
}

/** Names of files come out of Erlang as they are only with a UTF-8 locale. */
export function locale(_repo: Repo, file: File): Findings {
  const { final } = file.file;
  const variables = env(final);
  const value = variables.get('LC_ALL') ?? variables.get('LANG') ?? '';
  const options = variables.get('ELIXIR_ERL_OPTIONS') ?? variables.get('ERL_FLAGS') ?? '';
  if (/\+fnu/.test(options)) return found();
  const line = last(final, 'CMD')?.line ?? last(final, 'ENTRYPOINT')?.line ?? final.line;
  if (!/utf-?8/i.test(value))
    return found([
      at(
        file,
        line,
        'the VM runs with native name encoding of latin1',
        'before this line, add: ENV LANG=C.UTF-8',
      ),
    ]);
  const made =
    /^C\./i.test(value) ||
    systemOf(rootStage(final).image)?.family === 'alpine' ||
    chain(final).some((step) => /locale-gen|localedef|locales-all|update-locale/.test(step.text));
  return found(
    unless(
      made,
      at(
        file,
        line,
        `${value} is not made in the image`,
        'write: ENV LANG=C.UTF-8, which is always there',
      ),
    ),
  );
}
