import type { Project } from '../facts/detect.ts';
import { elixirAtom, isModule } from '../quote.ts';
import { assertStarted, type Machine, oneOff, UNREACHABLE } from './container.ts';
import { argv, type Outcome } from './engine.ts';
import type { Setting } from './setting.ts';
import { PATIENCE } from './start.ts';
import { failed, faultLines, leaks, met, secondsText, skipped, type Verdict } from './verdict.ts';

const noRpc = skipped('rpc does not reach the app');

/** Asks every repo, restarts Postgres, and asks again: the pool has to come back by itself. */
export async function database(setting: Setting, machine: Machine): Promise<Verdict> {
  const { project, database: ownDatabase } = setting;
  const { repos } = project.database;
  if (repos.length === 0) return skipped('the app has no database');
  const query = repos.map((repo) => `${repo}.query!("select 1")`).join('; ');
  const first = await machine.rpc(query);
  if (UNREACHABLE.test(first.all)) return noRpc;
  if (first.code !== 0) {
    // A pool says no more than that it is empty; the app's log says what its connections met
    const log = [...faultLines(first.all, 1), ...(await machine.faults())];
    return failed('a query fails', (await machine.exitCode()) === undefined ? log : undefined);
  }
  if (!ownDatabase?.restart) return met('answers; it is not restarted');
  const stopped = Date.now();
  await ownDatabase.restart();
  const began = Date.now();
  const again = await machine.rpc(query, PATIENCE);
  const after = `${secondsText(Date.now() - began)} after a restart of Postgres`;
  if (again.code === 0) return met(`again ${after}`);
  const log = await machine.faults(stopped);
  if ((await machine.exitCode()) !== undefined)
    return failed('the app stopped when Postgres was restarted', log);
  return failed(`no query succeeds ${after}`, [...faultLines(again.all, 1), ...log]);
}

/** Whether the app's own code reads a setting of its own. */
const codeReads = ({ tree, app }: Project, key: string): boolean => {
  const setting = new RegExp(`${elixirAtom(app.otpApp)},\\s*:${key}\\b`);
  const code = [...tree.paths].filter((path) => /^(apps\/[^/]+\/)?lib\/.*\.ex$/.test(path));
  return code.some((path) => setting.test(tree.read(path) ?? ''));
};

const runningIn = ({ all }: Outcome): string[] =>
  [...all.matchAll(/^running (\S+)$/gm)].map(([, name = '']) => name);

/** Workers that are registered under their module's name are there, and are gone in eval and where the switch is off. */
export async function background(setting: Setting, machine: Machine): Promise<Verdict> {
  const { project, deploy } = setting;
  const modules = project.background.filter(isModule).join(', ');
  if (!modules) return skipped("no worker of the app's own was found");
  if (!codeReads(project, 'background')) return skipped('application.ex does not read the switch');
  const look = `for m <- [${modules}], Process.whereis(m), do: IO.puts("running #{inspect(m)}")`;
  const answer = await machine.rpc(look);
  if (UNREACHABLE.test(answer.all)) return noRpc;
  if (answer.code !== 0) return failed('the app does not say what runs in it');
  const seen = runningIn(answer);
  if (seen.length === 0) return skipped(`no process is registered as ${modules}`);
  const bin = `bin/${deploy.release}`;
  const start = `{:ok, _} = Application.ensure_all_started(${elixirAtom(project.app.otpApp)})`;
  const [inEval] = runningIn(await oneOff(setting, [bin, 'eval', `${start}; ${look}`]));
  if (inEval) return failed(`${inEval} runs in ${bin} eval`, []);
  const off = `BACKGROUND_ENABLED=false ${bin} start & until ${bin} rpc "$0"; do kill -0 $! || exit 1; sleep 1; done`;
  const second = await oneOff(setting, argv`sh -c ${off} ${`${assertStarted(setting)}; ${look}`}`);
  const [worker] = runningIn(second);
  if (worker) return failed(`${worker} runs with BACKGROUND_ENABLED=false`, []);
  if (second.code === 0) return met(seen.join(', '));
  return failed('with BACKGROUND_ENABLED=false the app does not come up', faultLines(second.all));
}

/** Server and client in one VM, with a certificate made up on the spot (public_key's pkix_test_data/1, OTP 20.1 and later). */
const handshake = (app: string): string => `
  {:ok, _} = Application.ensure_all_started(:ssl)
  peer = [key: {:namedCurve, :secp256r1}, digest: :sha256]
  chain = %{root: peer, intermediates: [], peer: peer}
  %{server_config: server} = :public_key.pkix_test_data(%{server_chain: chain, client_chain: chain})
  {:ok, listener} = :ssl.listen(0, server)
  {:ok, {_, port}} = :ssl.sockname(listener)
  spawn(fn -> {:ok, socket} = :ssl.transport_accept(listener); :ssl.handshake(socket, 30_000) end)
  {outcome, reason} = :ssl.connect(~c"localhost", port, Application.fetch_env!(${app}, :tls), 30_000)
  IO.puts("handshake #{outcome} #{if outcome == :error, do: inspect(reason)}")`;

/** The TLS options under the app's config refuse a certificate that nobody vouches for. */
export async function tls(setting: Setting): Promise<Verdict> {
  const { project, deploy } = setting;
  if (!codeReads(project, 'tls')) return skipped('no code uses the options in config :tls');
  const code = handshake(elixirAtom(project.app.otpApp));
  const { all } = await oneOff(setting, [`bin/${deploy.release}`, 'eval', code]);
  const [, outcome, reason = ''] = /^handshake (ok|error)(.*)$/m.exec(all) ?? [];
  if (outcome === 'ok') return failed('a certificate that nobody vouches for was accepted', []);
  const [alert] = /unknown_ca|selfsigned_peer|bad_certificate/.exec(reason) ?? [];
  return alert ? met(alert) : failed('the options do not work', faultLines(all));
}

const WRITABLE = `find "$PWD" ! -type l -exec sh -c 'for file; do if [ -w "$file" ]; then echo "$file"; fi; done' _ {} + 2>/dev/null | head -n 3`;

/** Not root, and the code is not its to change. */
export async function user(_: Setting, machine: Machine): Promise<Verdict> {
  // An entry point that begins as root may give that up
  const { stdout } = await machine.shell("sed -n 's/^Uid:\\s*\\([0-9]*\\).*/\\1/p' /proc/1/status");
  const id = stdout.trim();
  if (id === '0') return failed('it runs as root', []);
  const found = await machine.shell(WRITABLE, ['--user', id]);
  if (!id || found.code !== 0) return failed('its user and files can not be looked at');
  const writable = found.stdout.split('\n').filter(Boolean);
  if (writable.length) return failed(`it may change its own code: ${writable.join(', ')}`, []);
  return met(`user ${id}, code not writable`);
}

/** Files that hold secrets, in the folder of the app. */
const SECRET_FILES = argv`find . -xdev -name .env* ! -name *example* -o -name *.secret.exs -o -name .netrc -o -name id_rsa`;

/** Neither ENV, nor the commands that made the image, nor its files hold a secret. */
export async function history(setting: Setting): Promise<Verdict> {
  const { engine, resources, envFile } = setting;
  const variables = '{{range .Config.Env}}{{println .}}{{end}}';
  const outcomes = [
    await engine.run(argv`history --no-trunc --format {{.CreatedBy}} ${resources.image}`),
    await engine.run(argv`image inspect --format ${variables} ${resources.image}`),
  ];
  const failure = outcomes.find(({ code }) => code !== 0);
  if (failure) return failed('the image can not be looked at', faultLines(failure.all));
  const lines = outcomes.flatMap(({ stdout }) => stdout.split('\n'));
  const files = (await oneOff(setting, SECRET_FILES)).stdout.split('\n').filter(Boolean);
  const names = [...leaks(lines, Object.values(envFile)), ...files.slice(0, 3)].join(', ');
  return names ? failed(`${names} stands in the image for everybody to read`, []) : met();
}

/** The signal of fly.toml, and an end in time with code 0. */
export async function stop({ deploy }: Setting, machine: Machine): Promise<Verdict> {
  const { killSignal, killTimeout } = deploy;
  const limit = secondsText(killTimeout);
  await machine.measure();
  const ended = await machine.finalExitCode();
  if (ended !== undefined) return failed(`the app has ended by itself, exit code ${ended}`);
  const first = await machine.mainProcess();
  const began = Date.now();
  const code = await machine.stop(killSignal, killTimeout);
  const log = await machine.faults(began);
  // A shell waits for its child and keeps the signal to itself
  const keeps = /^\S*sh /.test(first)
    ? `; it goes to "${first}", which has to exec the release`
    : '';
  if (code === undefined)
    return failed(`${killSignal} did not end it within ${limit}; then Fly kills it${keeps}`, log);
  if (code !== 0) return failed(`${killSignal} ended it with exit code ${code}${keeps}`, log);
  return met(`${killSignal}, ${secondsText(Date.now() - began)} of ${limit}`);
}

/** The peak against the limit, which the engine enforces. */
export async function memory({ deploy }: Setting, machine: Machine): Promise<Verdict> {
  await machine.measure();
  if (machine.outOfMemory) return failed(`it was killed at the limit of ${deploy.memory} MB`, []);
  if (machine.peak === 0) return skipped('the app has stopped');
  return met(`${machine.peak} of ${deploy.memory} MB at most`);
}
