import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../facts/detect.ts';
import { elixirAtom } from '../quote.ts';
import { words } from './engine.ts';
import { Machine, oneOff } from './machine.ts';
import type { Setting } from './setting.ts';
import {
  failed,
  leaks,
  megabytesText,
  met,
  SEE_MEMORY,
  secondsText,
  skipped,
  telling,
  type Verdict,
} from './verdict.ts';

const UNREACHABLE = /not contact|noconnection|nodedown|distribution is disabled/i;

/** Asks every repo, restarts Postgres, and asks again: the pool has to come back by itself. */
export async function database(machine: Machine, setting: Setting): Promise<Verdict> {
  const { repos } = setting.project.database;
  if (repos.length === 0) return skipped('the app has no database');
  const query = repos.map((repo) => `${repo}.query!("select 1")`).join('; ');
  const first = await machine.rpc(query);
  if (first.code !== 0 && UNREACHABLE.test(first.all)) return skipped('rpc does not reach the app');
  if (first.code !== 0) return failed('a query fails', telling(first.all));
  const restart = setting.database?.restart;
  if (!restart) return met('answers; it is not restarted');
  const { startedAt } = await machine.state();
  await restart();
  let last = first;
  for (const began = Date.now(); Date.now() - began < setting.patience; await sleep(300)) {
    const state = await machine.state();
    if (state.outOfMemory) return skipped(SEE_MEMORY);
    if (!state.running || state.startedAt !== startedAt)
      return failed('the app stopped when Postgres was restarted', telling(await machine.log()));
    last = await machine.rpc(query);
    if (last.code === 0)
      return met(`again ${secondsText(Date.now() - began)} after a restart of Postgres`);
  }
  const why = `no query succeeds ${setting.patience / 1000} s after a restart of Postgres`;
  return failed(why, telling(last.all));
}

/** Version 2 of the kernel's control groups, Linux 5.19 and later, and version 1. */
const PEAK =
  'cat /sys/fs/cgroup/memory.peak || cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes';

/** The peak against the limit, which the engine enforces. */
export async function memory(machine: Machine, { deploy }: Setting): Promise<Verdict> {
  const { outOfMemory, running: alive } = await machine.state();
  if (outOfMemory) return failed(`it was killed at the limit of ${deploy.memory} MB`);
  if (!alive) return skipped('the app has stopped');
  const peak = Number((await machine.exec('sh', '-c', PEAK)).stdout);
  return met(`${peak ? megabytesText(peak) : 'never more than all'} of ${deploy.memory} at most`);
}

/** Whether the app's own code reads a setting of its own. */
const reads = ({ tree, app }: Project, key: string): boolean => {
  const setting = new RegExp(`${elixirAtom(app.otpApp)},\\s*:${key}\\b`);
  const code = [...tree.paths].filter((path) => /^(apps\/[^/]+\/)?lib\/.*\.ex$/.test(path));
  return code.some((path) => setting.test(tree.read(path) ?? ''));
};

const running = (printed: string): string[] =>
  [...printed.matchAll(/^running (\S+)$/gm)].map(([, name = '']) => name);

/** Workers that are registered under their module's name are there, and are gone in eval and where the switch is off. */
export async function background(machine: Machine, setting: Setting): Promise<Verdict> {
  const { project, release } = setting;
  const modules = project.background.filter((name) => /^[A-Z][\w.]*$/.test(name)).join(', ');
  if (!modules) return skipped("no worker of the app's own was found");
  if (!reads(project, 'background')) return skipped('application.ex does not read the switch');
  const look = `for m <- [${modules}], Process.whereis(m), do: IO.puts("running #{inspect(m)}")`;
  const seen = running((await machine.rpc(look)).all);
  if (seen.length === 0) return skipped(`no process is registered as ${modules}`);
  const start = `{:ok, _} = Application.ensure_all_started(${elixirAtom(project.app.otpApp)})`;
  const evaluated = await oneOff(setting, [`bin/${release}`, 'eval', `${start}; ${look}`]);
  const [inEval] = running(evaluated.all);
  if (inEval) return failed(`${inEval} runs in bin/${release} eval`);
  const second = new Machine(setting, 'once');
  await second.start({ BACKGROUND_ENABLED: 'false' });
  const until = Date.now() + setting.patience;
  while (!(await second.started()) && Date.now() < until) await sleep(500);
  const { code, all } = await second.rpc(look);
  const log = await second.log();
  await second.remove();
  const [worker] = running(all);
  if (worker) return failed(`${worker} runs with BACKGROUND_ENABLED=false`);
  if (code) return failed('with BACKGROUND_ENABLED=false the app does not come up', telling(log));
  return met(seen.join(', '));
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
export async function tls(_machine: Machine, setting: Setting): Promise<Verdict> {
  const { project, release } = setting;
  if (!reads(project, 'tls')) return skipped('no code uses the options in config :tls');
  const code = handshake(elixirAtom(project.app.otpApp));
  const { all } = await oneOff(setting, [`bin/${release}`, 'eval', code]);
  const [, outcome, reason = ''] = /^handshake (ok|error)(.*)$/m.exec(all) ?? [];
  if (outcome === 'ok') return failed('a certificate that nobody vouches for was accepted');
  const [alert] = /unknown_ca|selfsigned_peer|bad_certificate/.exec(reason) ?? [];
  return alert ? met(alert) : failed('the options do not work', telling(all));
}

const WRITABLE = `find "$PWD" ! -type l -exec sh -c 'for file; do if [ -w "$file" ]; then echo "$file"; fi; done' _ {} + 2>/dev/null | head -n 3`;

/** Not root, and the code is not its to change. */
export async function user(machine: Machine): Promise<Verdict> {
  const id = (await machine.exec('id', '-u')).stdout.trim();
  if (id === '0') return failed('it runs as root');
  const writable = (await machine.exec('sh', '-c', WRITABLE)).stdout.split('\n').filter(Boolean);
  if (writable.length) return failed(`it may change its own code: ${writable.join(', ')}`);
  return met(`user ${id}, code not writable`);
}

/** Neither ENV nor the commands that made the image hold a secret. */
export async function history(_machine: Machine, setting: Setting): Promise<Verdict> {
  const { engine, made, wish } = setting;
  const variables = '{{range .Config.Env}}{{println .}}{{end}}';
  const read = [
    await engine.run(words`history --no-trunc --format {{.CreatedBy}} ${made.image}`),
    await engine.run(words`image inspect --format ${variables} ${made.image}`),
  ];
  const lines = read.flatMap(({ stdout }) => stdout.split('\n'));
  const found = leaks(lines, Object.values(wish.secrets));
  const names = found.join(', ');
  return names ? failed(`${names} stands in the image for everybody to read`) : met();
}

/** The signal of fly.toml, and an end in time with code 0. */
export async function stop(machine: Machine, { deploy }: Setting): Promise<Verdict> {
  const { killSignal, killTimeout } = deploy;
  const limit = secondsText(killTimeout);
  const took = await machine.stop(killSignal, killTimeout);
  if (took === undefined)
    return failed(`${killSignal} did not end it within ${limit}; then Fly kills it`);
  const { exitCode } = await machine.state();
  const ended = `${killSignal} ended it with exit code ${exitCode}`;
  if (exitCode !== 0) return failed(ended, telling(await machine.log()));
  return met(`${killSignal}, ${secondsText(took)} of ${limit}`);
}
