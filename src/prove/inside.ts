import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../facts/detect.ts';
import { elixirAtom } from '../quote.ts';
import { type Machine, oneOff, type Proof } from './proof.ts';
import {
  failed,
  type Line,
  leaks,
  megabytesOf,
  met,
  seconds,
  skipped,
  telling,
} from './verdict.ts';

const UNREACHABLE =
  /not contact|noconnection|nodedown|distribution is disabled|RELEASE_DISTRIBUTION/i;

/** Asks every repo, restarts Postgres, and asks again: the pool has to come back by itself. */
export async function database(machine: Machine, proof: Proof): Promise<Line> {
  const { repos } = proof.project.database;
  if (repos.length === 0) return skipped('database', 'the app has no database');
  const query = repos.map((repo) => `${repo}.query!("select 1")`).join('; ');
  const first = await machine.rpc(query);
  if (first.code !== 0 && UNREACHABLE.test(first.all))
    return skipped('database', `bin/${proof.release} rpc does not reach the app`);
  if (first.code !== 0) return failed('database', 'a query fails', telling(first.all));
  if (!proof.restartDatabase) return met('database', 'answers; the given one was not restarted');
  const { startedAt } = await machine.state();
  await proof.restartDatabase();
  const began = Date.now();
  let last = first;
  while (Date.now() - began < 30_000) {
    const state = await machine.state();
    if (!state.running || state.startedAt !== startedAt)
      return failed(
        'database',
        'the app stopped when Postgres was restarted',
        telling(await machine.log()),
      );
    last = await machine.rpc(query);
    if (last.code === 0)
      return met(
        'database',
        `${repos.length === 1 ? '1 repo' : `${repos.length} repos`}, back ${seconds(Date.now() - began)} after a restart of Postgres`,
      );
    await sleep(300);
  }
  return failed(
    'database',
    'no query succeeds 30 s after a restart of Postgres',
    telling(last.all),
  );
}

/** @param outOfMemory the machine was killed for it */
export function memory(machine: Machine, { deploy }: Proof, outOfMemory: boolean): Line {
  const figure = `${megabytesOf(machine.peak)} of ${deploy.memory} MB`;
  if (outOfMemory)
    return failed(
      'memory',
      `it was killed at the limit of ${deploy.memory} MB`,
      [],
      machine.peak ? figure : undefined,
    );
  return machine.peak ? met('memory', figure) : skipped('memory', 'the engine gave no figure');
}

/** Whether the app's own code reads the switch that runtime.exs sets. */
const reads = ({ tree, app }: Project, key: string): boolean =>
  [...tree.paths].some(
    (path) =>
      /^(apps\/[^/]+\/)?lib\/.*\.ex$/.test(path) &&
      new RegExp(`${elixirAtom(app.otpApp)},\\s*:${key}\\b`).test(tree.read(path) ?? ''),
  );

/** Workers that are registered under their module's name: they must be there, and be gone where the switch is off and in eval. */
export async function background(machine: Machine, proof: Proof): Promise<Line> {
  const { project } = proof;
  const modules = project.background.filter((name) => /^[A-Z][\w.]*$/.test(name));
  if (modules.length === 0) return skipped('background', "no worker of the app's own was found");
  if (!reads(project, 'background'))
    return skipped(
      'background',
      'application.ex does not read the switch; the next steps of `fly` show the two lines',
    );
  const running = `for m <- [${modules.join(', ')}], Process.whereis(m), do: IO.puts("running #{inspect(m)}")`;
  const names = (text: string) => [...text.matchAll(/^running (\S+)$/gm)].map(([, name]) => name);
  const seen = names((await machine.rpc(running)).all);
  if (seen.length === 0)
    return skipped(
      'background',
      `${modules.join(', ')}: no process has that name, so it can't be seen`,
    );
  const off = await oneOff(proof, [
    machine.binary,
    'eval',
    `{:ok, _} = Application.ensure_all_started(${elixirAtom(project.app.otpApp)}); ${running}`,
  ]);
  if (names(off.all).length)
    return failed('background', `${names(off.all).join(', ')} runs in bin/${proof.release} eval`);
  await machine.remove();
  await machine.start({ BACKGROUND_ENABLED: 'false' });
  for (let tries = 0; tries < 40; tries++) {
    const second = await machine.rpc(`IO.puts("up"); ${running}`);
    if (/^up$/m.test(second.all))
      return names(second.all).length
        ? failed('background', `${names(second.all).join(', ')} runs with BACKGROUND_ENABLED=false`)
        : met('background', seen.join(', '));
    await sleep(500);
  }
  return failed(
    'background',
    'with BACKGROUND_ENABLED=false the app does not come up',
    telling(await machine.log()),
  );
}

/** A server and a client in one VM, with a certificate made up on the spot (public_key's pkix_test_data/1, OTP 20.1 and later). */
const UNTRUSTED = (app: string) => `
{:ok, _} = Application.ensure_all_started(:ssl)
key = {:namedCurve, :secp256r1}
chain = %{root: [key: key, digest: :sha256], intermediates: [], peer: [key: key, digest: :sha256]}
%{server_config: server} = :public_key.pkix_test_data(%{server_chain: chain, client_chain: chain})
{:ok, listener} = :ssl.listen(0, server)
{:ok, {_, port}} = :ssl.sockname(listener)
spawn(fn -> {:ok, socket} = :ssl.transport_accept(listener); :ssl.handshake(socket, 5000) end)
case :ssl.connect(~c"localhost", port, Application.fetch_env!(${app}, :tls), 5000) do
  {:ok, _} -> IO.puts("accepted")
  {:error, reason} -> IO.puts("refused " <> inspect(reason))
end`;

/** The TLS options under the app's config refuse a certificate that nobody vouches for. */
export async function tls(machine: Machine, proof: Proof): Promise<Line> {
  const { project } = proof;
  if (!reads(project, 'tls'))
    return skipped('tls', 'no code of the app uses the options in config :tls');
  const { all } = await oneOff(proof, [
    machine.binary,
    'eval',
    UNTRUSTED(elixirAtom(project.app.otpApp)),
  ]);
  if (/^accepted$/m.test(all))
    return failed('tls', 'a certificate that nobody vouches for was accepted');
  const [, alert] = /^refused .*?(unknown_ca|selfsigned_peer|bad_certificate)/m.exec(all) ?? [];
  return alert ? met('tls', alert) : failed('tls', 'the options do not work', telling(all));
}

const WRITABLE =
  'find "$PWD" ! -type l -exec sh -c \'for file; do if [ -w "$file" ]; then echo "$file"; fi; done\' _ {} + 2>/dev/null | head -n 3';

/** Not root, and the code is not its to change. */
export async function user(machine: Machine): Promise<Line> {
  const id = (await machine.exec('id', '-u')).stdout.trim();
  if (id === '0') return failed('user', 'it runs as root');
  const { stdout } = await machine.exec('sh', '-c', WRITABLE);
  const writable = stdout.split('\n').filter(Boolean);
  return writable.length
    ? failed('user', `it may change its own code: ${writable.join(', ')}`)
    : met('user', `user ${id}, code not writable`);
}

/** Neither ENV nor the commands that made the image hold a secret. */
export async function history({ engine, made, secrets }: Proof): Promise<Line> {
  const commands = await engine.run([
    'history',
    '--no-trunc',
    '--format',
    '{{.CreatedBy}}',
    made.image,
  ]);
  const env = await engine.run([
    'image',
    'inspect',
    '--format',
    '{{range .Config.Env}}{{println .}}{{end}}',
    made.image,
  ]);
  const found = leaks([...commands.stdout.split('\n'), ...env.stdout.split('\n')], secrets);
  return found.length
    ? failed('history', `${found.join(', ')} stands in the image for everybody to read`)
    : met('history');
}

/** The signal of fly.toml, and an end in time with code 0. */
export async function stop(machine: Machine, { engine, deploy }: Proof): Promise<Line> {
  const began = Date.now();
  await engine.run(['kill', '--signal', deploy.killSignal, machine.name]);
  const ended = await engine.run(['wait', machine.name], { timeout: deploy.killTimeout });
  const took = Date.now() - began;
  const state = await machine.state();
  if (state.running || ended.code !== 0)
    return failed(
      'stop',
      `${deploy.killSignal} did not end it within ${seconds(deploy.killTimeout)}: Fly would kill it`,
    );
  if (state.exitCode !== 0)
    return failed(
      'stop',
      `it ended with exit code ${state.exitCode} after ${deploy.killSignal}`,
      telling(await machine.log()),
    );
  return met('stop', `${deploy.killSignal}, ${seconds(took)} of ${seconds(deploy.killTimeout)}`);
}
