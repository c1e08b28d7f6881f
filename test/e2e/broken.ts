/**
 * What a deploy would fail with, one thing broken at a time: `prove` fails that line and no other. Usage: broken.ts APP IMAGE
 * Each stands on the image that was built of the app, with a line or two more; two at a time, as they must not collide.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leftBehind, proveApp, report } from './proving.ts';

interface Fault {
  fails: string;
  /** Words that the line says. */
  says: RegExp;
  /** Lines of a Dockerfile that stands on the app's image; root runs them. */
  image?: string;
  /** Elixir at the end of config/runtime.exs. */
  runtime?: string;
  toml?: [string | RegExp, string];
}

const runtime = '/app/releases/*/runtime.exs';
const onStart = (code: string) =>
  `if System.get_env("RELEASE_COMMAND") == "start", do: spawn(fn -> ${code} end)`;
const FAULTS: Record<string, Fault> = {
  'code that does not compile': {
    fails: 'build',
    says: /stopped/,
    image: 'RUN echo "** (CompileError) lib/shop.ex:1" && false',
  },
  'a migration that fails': {
    fails: 'migrate',
    says: /ended with/,
    image: 'RUN echo "alter table nowhere add x int" > $(ls /app/lib/shop-*/priv/repo/migrations/*.sql)',
  },
  'another port': {
    fails: 'boot',
    says: /port 4000, and internal_port in fly.toml is 4001/,
    toml: ['internal_port = 4000', 'internal_port = 4001'],
  },
  'IPv4 only': {
    fails: 'boot',
    says: /IPv4 only/,
    image: `RUN sed -i 's/{0, 0, 0, 0, 0, 0, 0, 0}/{0, 0, 0, 0}/' ${runtime}`,
  },
  'no server': {
    fails: 'boot',
    says: /PHX_SERVER/,
    runtime: 'config :shop, ShopWeb.Endpoint, server: false',
  },
  'a start that raises': {
    fails: 'boot',
    says: /STRIPE_KEY is missing/,
    runtime: 'if System.get_env("RELEASE_COMMAND") == "start", do: raise "STRIPE_KEY is missing"',
  },
  'a health check that is redirected': {
    fails: 'health',
    says: /301/,
    toml: [/X-Forwarded-Proto = .*/, ''],
  },
  'a page that redirects to itself': {
    fails: 'page',
    says: /without end/,
    toml: ['[env]', '[env]\nHOME_PAGE = "/"'],
  },
  'an origin that is refused': {
    fails: 'socket',
    says: /check_origin/,
    runtime: 'config :shop, ShopWeb.Endpoint, check_origin: ["//shop.example.com"]',
  },
  'an app that stops with its database': {
    fails: 'database',
    says: /stopped when Postgres was restarted/,
    runtime: onStart(
      `%URI{host: host, port: port} = URI.parse(System.fetch_env!("DATABASE_URL"))
      {:ok, socket} = :gen_tcp.connect(String.to_charlist(host), port, [:inet6, active: false])
      :gen_tcp.recv(socket, 0)
      System.halt(1)`,
    ),
  },
  'an app that needs 2 GB': {
    fails: 'memory',
    says: /killed at the limit of 1024 MB/,
    // At a moment that no load changes: before anything listens
    runtime: 'if System.get_env("RELEASE_COMMAND") == "start", do: :binary.copy(:binary.copy(<<1>>, 1_000_000), 2_000)',
  },
  'certificates that nobody checks': {
    fails: 'tls',
    says: /accepted/,
    image: `RUN sed -i 's/verify: :verify_peer/verify: :verify_none/' ${runtime}`,
  },
  'root': { fails: 'user', says: /root/, image: 'USER 0' },
  'code that the app may write': {
    fails: 'user',
    says: /change its own code/,
    image: 'RUN chown -R nobody /app',
  },
  'workers in eval': {
    fails: 'background',
    says: /eval/,
    runtime: 'config :shop, :background, enabled: true',
  },
  'a secret in the image': { fails: 'history', says: /API_TOKEN/, image: 'ENV API_TOKEN=abcdefgh1234' },
  'an app that ignores SIGTERM': {
    fails: 'stop',
    says: /did not end it/,
    image: `CMD ["/bin/sh", "-c", "trap '' TERM; /app/bin/shop start & while :; do sleep 1; done"]`,
    toml: ['kill_timeout = "30s"', 'kill_timeout = "3s"'],
  },
};

const [app = '', image = '', only = ''] = process.argv.slice(2);

async function prove(name: string, { fails, says, image: lines = '', runtime: code, toml }: Fault) {
  const folder = mkdtempSync(join(tmpdir(), 'broken-'));
  try {
    cpSync(app, folder, { recursive: true });
    const steps = [`FROM ${image}`, 'USER 0', 'LABEL broken=yes'];
    if (code) {
      writeFileSync(join(folder, 'priv/broken.exs'), `\n${code}\n`);
      steps.push('COPY priv/broken.exs /tmp/', `RUN cat /tmp/broken.exs >> $(ls ${runtime})`);
    }
    steps.push(lines);
    if (!lines.startsWith('USER')) steps.push('USER nobody');
    writeFileSync(join(folder, 'Dockerfile'), `${steps.join('\n')}\n`);
    const fly = join(folder, 'fly.toml');
    if (toml) writeFileSync(fly, readFileSync(fly, 'utf8').replace(...toml));
    const proof = await proveApp(folder);
    const failed = proof.lines.filter(({ verdict }) => verdict === 'failed');
    const told = failed.map((line) => `${line.name}: ${line.why} ${line.log?.join(' | ') ?? ''}`).join('; ');
    const right = failed.length === 1 && failed[0]?.name === fails && says.test(told);
    report(`prove sees ${name}`, right ? '' : `wanted ${fails}, failed ${told || 'nothing'}`);
  } catch (error) {
    report(`prove sees ${name}`, (error as Error).message);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const queue = Object.entries(FAULTS).filter(([name]) => name.includes(only));
const work = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) await prove(...next);
};
await Promise.all([work(), work()]);
report('what failed left nothing behind', leftBehind());
