import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { migrateSh } from '../generators/migrate-sh.ts';
import { detectBuilt } from '../src/docker/release-files.ts';
import { detect } from '../src/facts/detect.ts';
import { serverRepos } from '../src/facts/project.ts';
import { treeOf } from '../src/tree.ts';
import { app, complete, FLAGS, lock } from './support.ts';

const umbrella = (root: string, extra: Record<string, string> = {}, release?: string) => {
  const child = (app: string, module: string, deps: string) => ({
    [`apps/${app}/mix.exs`]: `defmodule ${module}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${app}, elixir: "~> 1.14", deps: [${deps}]]\n  def application, do: [mod: {${module}.Application, []}]\nend`,
    [`apps/${app}/lib/endpoint.ex`]: `defmodule ${module}Web.Endpoint do\n  use Phoenix.Endpoint, otp_app: :${app}\nend`,
  });
  const files = {
    'mix.exs': `defmodule Root.MixProject do\n  use Mix.Project\n  def project, do: [apps_path: "apps", deps: []${root}]\nend`,
    'mix.lock': lock({}),
    'config/config.exs': 'import Config\n',
    ...child('admin', 'Admin', '{:phoenix, "~> 1.8"}, {:store, in_umbrella: true}'),
    ...child('store', 'Store', '{:phoenix, "~> 1.8"}'),
    ...child('tools', 'Tools', '{:phoenix, "~> 1.8"}, {:store, in_umbrella: true}'),
    ...extra,
  };
  return detect(treeOf(files), release === undefined ? {} : { release });
};

const serves = (module: string, files: Record<string, string | undefined>) =>
  assert.is(app(files).endpoint.module, module);

test('a stock app', () => {
  const facts = app();
  assert.equal(
    [
      facts.app.otpApp,
      facts.app.module,
      facts.app.webModule,
      facts.endpoint.module,
      facts.release.name,
      facts.endpoint.httpServer,
    ],
    ['shop', 'Shop', 'ShopWeb', 'ShopWeb.Endpoint', 'shop', 'bandit'],
  );
  assert.equal(
    [
      facts.background,
      facts.env.required.map((need) => need.name),
      facts.deps.nif,
      facts.endpoint.forceSsl,
      facts.endpoint.healthPath,
    ],
    [[], [], [], null, null],
  );
});

test('of several releases the chosen one decides: endpoint, repos and background work', () => {
  const repo = (app: string, module: string) => ({
    [`apps/${app}/lib/repo.ex`]: `defmodule ${module}.Repo do\n  use Ecto.Repo, otp_app: :${app}, adapter: Ecto.Adapters.Postgres\nend`,
    [`apps/${app}/lib/application.ex`]: `defmodule ${module}.Application do\n  def start(_, _), do: Supervisor.start_link([${module}.Worker], [])\nend\ndefmodule ${module}.Worker do\nend`,
  });
  const files = { ...repo('admin', 'Admin'), ...repo('tools', 'Tools') };
  const releases =
    ', releases: [a: [applications: [admin: :permanent]], b: [applications: [tools: :permanent]]]';
  const chosen = (release?: string) => {
    const { endpoint, database, background, release: found } = umbrella(releases, files, release);
    return [found.name, endpoint.module, ...database.repos, ...background];
  };
  assert.equal(chosen('a'), ['a', 'AdminWeb.Endpoint', 'Admin.Repo', 'Admin.Worker']);
  assert.equal(chosen('b'), ['b', 'ToolsWeb.Endpoint', 'Tools.Repo', 'Tools.Worker']);
  assert.equal(chosen('none'), chosen());
  const built = umbrella(releases, { ...files, Dockerfile: 'CMD ["/app/bin/b", "start"]' });
  assert.is(detectBuilt(built.tree).endpoint.module, 'ToolsWeb.Endpoint');
});

test('an umbrella without releases has no release name', () => {
  const facts = umbrella('');
  assert.is(facts.release.name, null);
  assert.match(facts.notes.join('\n'), 'no `releases:`');
});

test("the Elixir requirement of an umbrella is its own; an image has to satisfy its apps' too", () => {
  assert.equal(
    [umbrella('').elixir.requirement, umbrella('').elixir.requirements],
    [null, ['~> 1.14']],
  );
  assert.equal(
    [
      umbrella(', elixir: "~> 1.17"').elixir.requirement,
      umbrella(', elixir: "~> 1.17"').elixir.requirements,
    ],
    ['~> 1.17', ['~> 1.17', '~> 1.14']],
  );
});

test('of two endpoints in one app, the one that renders pages', () => {
  const facts = app({
    'lib/shop/api.ex': 'defmodule Shop.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend',
    'config/prod.exs': 'import Config\nconfig :shop, Shop.Endpoint, url: [host: "x"]\n',
  });
  assert.is(facts.endpoint.module, 'ShopWeb.Endpoint');
});

test("an endpoint through another library's macro", () => {
  serves('ShopWeb.Front', {
    'lib/shop_web/endpoint.ex':
      'defmodule ShopWeb.Front do\n  use Certs.Phoenix.Endpoint, otp_app: :shop\nend',
  });
});

test('of several web endpoints, the one named after the app', () => {
  const front = (name: string) => ({
    [`lib/${name}.ex`]: `defmodule ${name}.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend`,
  });
  const served = (...names: string[]) => ({
    'config/prod.exs': [
      'import Config',
      ...names.map(
        (name) => `config :shop, ${name}.Endpoint, url: [host: "x"], render_errors: [view: X]`,
      ),
      '',
    ].join('\n'),
  });
  serves('ShopWeb.Endpoint', {
    ...front('AdminWeb'),
    ...front('BackWeb'),
    ...served('AdminWeb', 'BackWeb'),
  });
  const others = {
    'lib/shop_web/endpoint.ex': undefined,
    ...front('Api'),
    ...front('FrontWeb'),
    ...served('Api', 'FrontWeb'),
  };
  serves('FrontWeb.Endpoint', others);
});

test('several releases need a default_release', () => {
  assert.is(umbrella(', releases: [one: [], two: []]').release.name, null);
  assert.is(umbrella(', releases: [one: [], two: []], default_release: :two').release.name, 'two');
  assert.is(umbrella(', releases: [one: [], two: []], default_release: :all').release.name, null);
});

test("among an umbrella's endpoints: the one others build on, and never one outside the release", () => {
  assert.is(umbrella('').endpoint.module, 'StoreWeb.Endpoint');
  const released = umbrella(
    ', releases: [back: [applications: [admin: :permanent, store: :permanent]]]',
  );
  assert.is(released.endpoint.module, 'StoreWeb.Endpoint');
  assert.match(released.notes.join('\n'), 'Several endpoints');
  const alone = umbrella(', releases: [tool: [applications: [tools: :permanent]]]', {
    'apps/tools/mix.exs':
      'defmodule Tools.MixProject do\n  use Mix.Project\n  def project, do: [app: :tools, deps: [{:phoenix, "~> 1.8"}]]\nend',
  });
  assert.is(alone.endpoint.module, 'ToolsWeb.Endpoint');
  assert.is(alone.app.webDir, 'apps/tools');
  const named = umbrella(', releases: [back: [applications: [admin: :permanent]]]', {
    'config/config.exs':
      'import Config\nconfig :store, ecto_repos: [Store.Repo]\nconfig :tools, ecto_repos: [Tools.Repo]\n',
  });
  assert.equal(
    [named.endpoint.module, named.database.repos],
    ['AdminWeb.Endpoint', ['Store.Repo']],
  );
  assert.equal(
    app({
      'mix.exs':
        'defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, deps: [{:phoenix, "~> 1.8"}], releases: [shop: [applications: [runtime_tools: :permanent]]]]\nend',
      'config/config.exs': 'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\n',
    }).database.repos,
    ['Shop.Repo'],
  );
});

test('umbrella deps written by a helper file above the apps', () => {
  const facts = umbrella('', {
    'apps/store/mix.exs':
      'defmodule Store.MixProject do\n  use Mix.Project\n  def project, do: [app: :store, deps: deps()]\n  defp deps do\n    Code.require_file("deps.ex", "#{__DIR__}/../../shared/")\n    Shared.Deps.web()\n  end\nend',
    'shared/deps.ex':
      'defmodule Shared.Deps do\n  def web, do: [{:phoenix, "~> 1.8"}, {:dns_cluster, "~> 0.2"}]\nend',
  });
  assert.is(facts.clustering, true);
});

test("deps given through a wrapper that can't be followed", () => {
  const mix =
    'defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, deps: pinned(deps())]\n  defp pinned(deps), do: for(dep <- deps, do: put_elem(dep, 1, elem(dep, 1)))\n  defp deps, do: [{:phoenix, "~> 1.8"}, {:libcluster_postgres, "~> 0.1"}]\nend';
  assert.is(app({ 'mix.exs': mix }).clustering, true);
});

test('names that follow no rule: the web module is what others use', () => {
  const web = (name: string) =>
    `defmodule ${name} do\n  def router do\n    quote do\n      use Phoenix.Router\n    end\n  end\n  defmacro __using__(which), do: apply(__MODULE__, which, [])\nend`;
  const endpoint = 'defmodule SHOP.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\nend';
  const facts = app({ 'lib/shop_web/endpoint.ex': endpoint, 'lib/web.ex': web('SHOP.Front') });
  const apart = app({ 'lib/shop_web/endpoint.ex': endpoint, 'lib/web.ex': web('Pages') });
  assert.is(apart.app.webModule, 'Pages');
  assert.is(facts.endpoint.module, 'SHOP.Endpoint');
  assert.is(facts.app.webModule, 'SHOP.Front');
  const older = app({ 'lib/shop_web/web.ex': web('ShopWeb.Web') });
  assert.is(older.app.webModule, 'ShopWeb.Web');
});

test('ecto_repos computed by a helper file, decoys under other apps', () => {
  const facts = app({
    'config/config.exs':
      'import Config\nCode.eval_file("helper.exs", __DIR__)\nconfig :shop, ecto_repos: Helper.repos()\nconfig :other, ecto_repos: [Other.Repo]\n',
    'config/helper.exs': 'defmodule Helper do\n  def repos, do: [Shop.Repo] ++ [Shop.Archive]\nend',
    'lib/shop/repo.ex':
      'defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\ndefmodule Shop.Replica do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres, read_only: true\nend',
  });
  assert.equal(facts.database.repos, ['Shop.Repo', 'Shop.Archive']);
  assert.is(facts.database.adapter, 'postgres');
});

test('a repo is configured under its own app, whoever lists it; that of a dependency where the configuration has it', () => {
  const facts = app({
    'config/config.exs': 'import Config\nconfig :shop, ecto_repos: [Depot.Repo, Tai.OrderRepo]\n',
    'config/runtime.exs':
      'import Config\nconfig :tai, Tai.OrderRepo, url: System.get_env("DATABASE_URL")\n',
    'lib/shop/repo.ex':
      'defmodule Depot.Repo do\n  use Ecto.Repo, otp_app: :depot, adapter: Ecto.Adapters.Postgres\nend\n',
  });
  assert.equal(
    [...facts.database.repoApps],
    [
      ['Depot.Repo', 'depot'],
      ['Tai.OrderRepo', 'tai'],
    ],
  );
});

test("repos on another kind of database than the app's are told apart", () => {
  const repo = (name: string, adapter: string) =>
    `defmodule Shop.${name} do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.${adapter}\nend\n`;
  const facts = app({
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo, Shop.Edge, Shop.Events]\n',
    'lib/shop/repo.ex':
      repo('Repo', 'Postgres') + repo('Edge', 'SQLite3') + repo('Events', 'ClickHouse'),
  });
  assert.equal([...facts.database.repoAdapters.values()], ['postgres', 'sqlite', 'none']);
  assert.equal(serverRepos(facts), ['Shop.Repo']);
  assert.is(
    migrateSh.outputs({ project: facts, answers: complete(FLAGS, facts) })[0]?.view?.repos,
    'Shop.Repo',
  );
});

test('a stale postgrex in mix.lock is no database', () => {
  assert.is(app({ 'mix.lock': lock({ postgrex: [] }) }).database.adapter, 'none');
});

test("a repo of a dependency that can't be read: mix.lock knows its driver", () => {
  assert.is(
    app(
      {
        'config/prod.exs': 'import Config\nconfig :shop, ecto_repos: [Store.Repo]\n',
        'mix.lock': lock({ myxql: [] }),
      },
      ', {:store, path: "../store"}',
    ).database.adapter,
    'mysql',
  );
});

test('force_ssl counts where the endpoint is compiled, not at run time', () => {
  const setting = 'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: [hsts: true]\n';
  assert.is(app({ 'config/prod.exs': setting }).endpoint.forceSsl, '[hsts: true]');
  assert.is(
    app({ 'config/prod.exs': setting.replace('[hsts: true]', 'false') }).endpoint.forceSsl,
    'false',
  );
  assert.is(app({ 'config/runtime.exs': setting }).endpoint.forceSsl, null);
});

test('config files found by a wildcard in a comprehension', () => {
  const facts = app({
    'config/config.exs':
      'import Config\nfor file <- "parts/*.exs" |> Path.expand(__DIR__) |> Path.wildcard() do\n  import_config file\nend\n',
    'config/parts/a.exs': 'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: []\n',
  });
  assert.ok(
    facts.config.files.some((file) => file.endsWith('parts/a.exs')),
    facts.config.files.join(),
  );
});

const plug = (code: string) => ({
  'lib/shop_web/plug.ex': `defmodule ShopWeb.Plug do\n${code}\nend`,
  'lib/shop_web/endpoint.ex':
    'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\n  plug ShopWeb.Plug\nend\n',
});
const router = (body: string) => ({
  'lib/shop_web/router.ex': `defmodule ShopWeb.Router do\n  use Phoenix.Router\n${body}\nend`,
});

const answers = (path: string | null, files: Record<string, string>) =>
  assert.is(app(files).endpoint.healthPath, path);

test('health routes: scopes, forwards, plugs', () => {
  answers(
    '/public/health',
    router('scope "/public" do\n  scope "/", ShopWeb do\n    get "/health", C, :show\n  end\nend'),
  );
  answers(
    '/api/health/liveness',
    router(
      'scope "/api" do\n  get "/health/ready", C, :ready\n  get "/health/liveness", C, :live\nend',
    ),
  );
  answers('/ops/healthz', {
    ...router('forward "/ops", ShopWeb.Ops'),
    'lib/ops.ex':
      'defmodule ShopWeb.Ops do\n  use Plug.Router\n  get "/healthz" do\n    send_resp(conn, 200, "")\n  end\nend',
  });
  answers('/health-check', {
    'lib/front.ex':
      'defmodule ShopWeb.Front do\n  use Plug.Router\n  plug(ShopWeb.Check, at: "/health-check")\nend',
  });
  answers(
    '/status/alive',
    plug(
      '  @paths ["/status/alive", "/status/up"]\n  def call(%{request_path: path} = conn, _) when path in @paths do\n    send_resp(conn, 200, "")\n  end',
    ),
  );
  answers(
    '/health_check',
    plug('  def call(%{path_info: ["health_check"]} = conn, _), do: halt(conn)'),
  );
});

test('no health route: pages of that name, guarded ones, and a plug that only lets the path pass', () => {
  answers(
    null,
    router(
      'get "/users/:id/status", C, :x\nget "/orders/status", C, :y\nget "/:shop/health", C, :z',
    ),
  );
  answers(
    null,
    router('scope "/" do\n  pipe_through [:browser, :require_admin]\n  get "/health", C, :x\nend'),
  );
  answers(null, plug('  defp canonical(%{request_path: "/health"} = conn, _), do: conn'));
});

test.run();
