import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { migrateSh } from '../generators/migrate-sh.ts';
import { defaultAppName } from '../src/answers/questions.ts';
import { detectBuilt } from '../src/docker/release-files.ts';
import { serverRepos } from '../src/facts/database.ts';
import { detect, type Project } from '../src/facts/detect.ts';
import { treeOf } from '../src/tree.ts';
import { app, complete, FLAGS, mixExs, mixLock, type Texts } from './support/fixture.ts';

const endpoint = (name: string, app = 'shop') =>
  `defmodule ${name}.Endpoint do\n  use Phoenix.Endpoint, otp_app: :${app}\nend`;
const repo = (name: string, app: string, adapter = 'Postgres') =>
  `defmodule ${name} do\n  use Ecto.Repo, otp_app: :${app}, adapter: Ecto.Adapters.${adapter}\nend\n`;

const umbrella = (root: string, extra: Texts = {}, release?: string) => {
  const child = (app: string, module: string, deps: string) => ({
    [`apps/${app}/mix.exs`]: mixExs(
      `app: :${app}, elixir: "~> 1.14", deps: [{:phoenix, "~> 1.8"}${deps}]`,
      `  def application, do: [mod: {${module}.Application, []}]`,
      module,
    ),
    [`apps/${app}/lib/endpoint.ex`]: endpoint(`${module}Web`, app),
  });
  const files = {
    'mix.exs': mixExs(`apps_path: "apps", deps: []${root}`),
    'mix.lock': mixLock({}),
    'config/config.exs': 'import Config\n',
    ...child('admin', 'Admin', ', {:store, in_umbrella: true}'),
    ...child('store', 'Store', ''),
    ...child('tools', 'Tools', ', {:store, in_umbrella: true}'),
    ...extra,
  };
  return detect(treeOf(files), release === undefined ? {} : { release });
};

const assertEndpoint = (module: string, { endpoint }: Project) =>
  assert.is(endpoint.module, module);

test('facts of a stock app', () => {
  const { app: names, endpoint, release, background, env, deps } = app();
  assert.equal([names.otpApp, names.module, names.webModule], ['shop', 'Shop', 'ShopWeb']);
  assert.equal([endpoint.module, endpoint.httpServer], ['ShopWeb.Endpoint', 'bandit']);
  assert.equal([endpoint.forceSsl, endpoint.healthPath, release.name], [null, null, 'shop']);
  assert.equal([background, env.required, deps.nif], [[], [], []]);
});

test('of several releases the chosen one decides: endpoint, repos and background work', () => {
  const child = (app: string, module: string) => ({
    [`apps/${app}/lib/repo.ex`]: repo(`${module}.Repo`, app),
    [`apps/${app}/lib/application.ex`]: `defmodule ${module}.Application do\n  def start(_, _), do: Supervisor.start_link([${module}.Worker], [])\nend\ndefmodule ${module}.Worker do\nend`,
  });
  const files = { ...child('admin', 'Admin'), ...child('tools', 'Tools') };
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
  assertEndpoint('ToolsWeb.Endpoint', detectBuilt(built.tree));
});

test('of several releases the first may serve no pages', () => {
  const releases =
    ', releases: [a: [applications: [admin: :permanent]], b: [applications: [tools: :permanent]]]';
  const worker = {
    'apps/admin/mix.exs': mixExs('app: :admin, deps: []', '', 'Admin'),
    'apps/admin/lib/endpoint.ex': '',
  };
  assert.equal(umbrella(releases, worker).release.names, ['a', 'b']);
  assertEndpoint('ToolsWeb.Endpoint', umbrella(releases, worker, 'b'));
});

test('the release is null in an umbrella without releases; of several it is the default one', () => {
  const { release, notes } = umbrella('');
  assert.is(release.name, null);
  assert.match(notes.join('\n'), 'no `releases:`');
  const name = (more: string) => umbrella(`, releases: [one: [], two: []]${more}`).release.name;
  assert.is(name(''), null);
  assert.is(name(', default_release: :two'), 'two');
  assert.is(name(', default_release: :all'), null);
  assert.is(umbrella(', releases: [one: []], default_release: :two').release.name, 'one');
  assert.is(umbrella(', default_release: :two').release.name, null);
});

test('an umbrella on Fly is called as its own module, any other app as in mix.exs', () => {
  const name = (module: string) =>
    defaultAppName(umbrella('', { 'mix.exs': mixExs('apps_path: "apps", deps: []', '', module) }));
  assert.is(name('AssetHub.Umbrella'), 'asset-hub');
  assert.is(name('Plural'), 'plural');
  assert.is(defaultAppName(app()), 'shop');
});

test("the Elixir requirement of an umbrella is its own; an image has to satisfy its apps' too", () => {
  const required = (root: string) => {
    const { requirement, requirements } = umbrella(root).elixir;
    return [requirement, requirements];
  };
  assert.equal(required(''), [null, ['~> 1.14']]);
  assert.equal(required(', elixir: "~> 1.17"'), ['~> 1.17', ['~> 1.17', '~> 1.14']]);
});

test('of two endpoints in one app, the one named after the app', () =>
  assertEndpoint(
    'ShopWeb.Endpoint',
    app({
      'lib/shop/api.ex': endpoint('Shop'),
      'config/prod.exs': 'import Config\nconfig :shop, Shop.Endpoint, url: [host: "x"]\n',
    }),
  ));

test("an endpoint through another library's macro", () =>
  assertEndpoint(
    'ShopWeb.Endpoint',
    app({
      'lib/shop_web/endpoint.ex': endpoint('ShopWeb').replace('use ', 'use Certs.'),
    }),
  ));

test('of several web endpoints, the one named after the app', () => {
  const front = (...names: string[]) => ({
    ...Object.fromEntries(names.map((name) => [`lib/${name}.ex`, endpoint(name)])),
    'config/prod.exs': `import Config\n${names.map((name) => `config :shop, ${name}.Endpoint, url: [host: "x"]\n`).join('')}`,
  });
  assertEndpoint('ShopWeb.Endpoint', app(front('AdminWeb', 'BackWeb')));
  assertEndpoint(
    'FrontWeb.Endpoint',
    app({ 'lib/shop_web/endpoint.ex': undefined, ...front('Api', 'FrontWeb') }),
  );
});

test('of several endpoints, one that is configured, and of an app of this repo', () => {
  const files = {
    'lib/shop_web/endpoint.ex': endpoint('AdminWeb'),
    'lib/site.ex': endpoint('SiteWeb'),
    'config/prod.exs': 'import Config\nconfig :shop, SiteWeb.Endpoint, url: [host: "x"]\n',
  };
  assertEndpoint('SiteWeb.Endpoint', app(files));
  const other = { 'lib/shop_web/endpoint.ex': endpoint('DemoWeb', 'demo') };
  assertEndpoint('Site.Endpoint', app({ ...other, 'lib/site.ex': endpoint('Site') }));
});

test('an endpoint that production switches off is the last to be chosen', () => {
  const config = (settings: string) => ({
    'lib/Api.ex': endpoint('Api'),
    'config/prod.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, ${settings}\n`,
  });
  assertEndpoint('Api.Endpoint', app(config('server: false')));
  assertEndpoint('ShopWeb.Endpoint', app(config('url: [host: "x"]')));
});

test("among an umbrella's endpoints: the one others build on, and never one outside the release", () => {
  assertEndpoint('StoreWeb.Endpoint', umbrella(''));
  const releases = (applications: string) =>
    `, releases: [back: [applications: [${applications}]]]`;
  const released = umbrella(releases('admin: :permanent, store: :permanent'));
  assertEndpoint('StoreWeb.Endpoint', released);
  assert.match(released.notes.join('\n'), 'Several endpoints');
  assertEndpoint('ToolsWeb.Endpoint', umbrella(releases('tools: :permanent, admin: :permanent')));
  const alone = umbrella(releases('tools: :permanent'), {
    'apps/tools/mix.exs': mixExs('app: :tools, deps: [{:phoenix, "~> 1.8"}]', '', 'Tools'),
  });
  assertEndpoint('ToolsWeb.Endpoint', alone);
  assert.is(alone.app.webDir, 'apps/tools');
  const named = umbrella(releases('admin: :permanent'), {
    'config/config.exs':
      'import Config\nconfig :store, ecto_repos: [Store.Repo]\nconfig :tools, ecto_repos: [Tools.Repo]\n',
  });
  assertEndpoint('AdminWeb.Endpoint', named);
  assert.equal(named.database.repos, ['Store.Repo']);
  const applications = releases('runtime_tools: :permanent');
  const single = app({
    'mix.exs': mixExs(`app: :shop, deps: [{:phoenix, "~> 1.8"}]${applications}`),
    'config/config.exs': 'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\n',
  });
  assert.equal(single.database.repos, ['Shop.Repo']);
});

test('deps of a helper file above the apps, or given through a wrapper', () => {
  const helped = umbrella('', {
    'apps/store/mix.exs': mixExs(
      'app: :store, deps: deps()',
      '  defp deps do\n    Code.require_file("deps.ex", "#{__DIR__}/../../shared/")\n    Shared.Deps.web()\n  end',
    ),
    'shared/deps.ex':
      'defmodule Shared.Deps do\n  def web, do: [{:phoenix, "~> 1.8"}, {:dns_cluster, "~> 0.2"}]\nend',
  });
  const wrapped = mixExs(
    'app: :shop, deps: pinned(deps())',
    '  defp pinned(deps), do: for(dep <- deps, do: put_elem(dep, 1, elem(dep, 1)))\n  defp deps, do: [{:phoenix, "~> 1.8"}, {:libcluster_postgres, "~> 0.1"}]',
  );
  assert.equal([helped.clustering, app({ 'mix.exs': wrapped }).clustering], [true, true]);
});

test('the web module is the one that others use, whatever its name', () => {
  const web = (name: string) =>
    `defmodule ${name} do\n  def router do\n    quote do\n      use Phoenix.Router\n    end\n  end\n  defmacro __using__(which), do: apply(__MODULE__, which, [])\nend`;
  const inShop = (name: string) =>
    app({ 'lib/shop_web/endpoint.ex': endpoint('SHOP'), 'lib/web.ex': web(name) });
  assert.is(inShop('Pages').app.webModule, 'Pages');
  assert.is(inShop('SHOP.Front').app.webModule, 'SHOP.Front');
  assertEndpoint('SHOP.Endpoint', inShop('SHOP.Front'));
  assert.is(app({ 'lib/shop_web/web.ex': web('ShopWeb.Web') }).app.webModule, 'ShopWeb.Web');
});

test("ecto_repos may be computed by a helper file; those of other apps don't count", () => {
  const { database } = app({
    'config/config.exs':
      'import Config\nCode.eval_file("helper.exs", __DIR__)\nconfig :shop, ecto_repos: Helper.repos()\nconfig :other, ecto_repos: [Other.Repo]\n',
    'config/helper.exs': 'defmodule Helper do\n  def repos, do: [Shop.Repo] ++ [Shop.Archive]\nend',
    'lib/shop/repo.ex': repo('Shop.Repo', 'shop') + repo('Shop.Replica', 'shop'),
  });
  assert.equal([database.adapter, database.repos], ['postgres', ['Shop.Repo', 'Shop.Archive']]);
});

test('a repo that only the configuration names, under the app of a dependency, counts where there is no other', () => {
  const texts = {
    'mix.exs': mixExs('app: :shop, deps: [{:phoenix, "~> 1.8"}] ++ File.read!("deps")'),
    'mix.lock': mixLock({ postgrex: [] }),
    'config/config.exs': 'import Config\nconfig :depot, ecto_repos: [Depot.Repo]\n',
  };
  const { database, notes } = app({ ...texts, 'depot/mix.exs': mixExs('app: :depot') });
  assert.equal([database.adapter, database.repos], ['postgres', ['Depot.Repo']]);
  assert.is(database.repoApps.get('Depot.Repo'), 'depot');
  const incomplete = 'deps in mix.exs could not be read to their end';
  assert.match(notes.join(), incomplete);
  // No folder of this repo could be missing
  assert.not.match(app(texts).notes.join(), incomplete);
});

test('a repo is configured under its own app, whoever lists it; that of a dependency where the configuration has it', () => {
  const { database } = app({
    'config/config.exs': 'import Config\nconfig :shop, ecto_repos: [Depot.Repo, Tai.OrderRepo]\n',
    'config/runtime.exs':
      'import Config\nconfig :tai, Tai.OrderRepo, url: System.get_env("DATABASE_URL")\n',
    'lib/shop/repo.ex': repo('Depot.Repo', 'depot'),
  });
  assert.equal(
    [...database.repoApps].map((pair) => pair.join(' ')),
    ['Depot.Repo depot', 'Tai.OrderRepo tai'],
  );
});

test("repos on another kind of database than the app's are told apart", () => {
  const facts = app({
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo, Shop.Edge, Shop.Events]\n',
    'lib/shop/repo.ex':
      repo('Shop.Repo', 'shop') +
      repo('Shop.Edge', 'shop', 'SQLite3') +
      repo('Shop.Events', 'shop', 'ClickHouse'),
  });
  assert.equal([...facts.database.repoAdapters.values()], ['postgres', 'sqlite', 'none']);
  assert.equal(serverRepos(facts), ['Shop.Repo']);
  const [script] = migrateSh.outputs({ project: facts, answers: complete(FLAGS, facts) });
  assert.is(script?.view?.repos, 'Shop.Repo');
});

test("for a repo outside the tree the driver in mix.lock counts; a driver without a repo doesn't", () => {
  assert.is(app({ 'mix.lock': mixLock({ postgrex: [] }) }).database.adapter, 'none');
  const files = {
    'config/prod.exs': 'import Config\nconfig :shop, ecto_repos: [Store.Repo]\n',
    'mix.lock': mixLock({ myxql: [] }),
  };
  assert.is(app(files, ', {:store, path: "../store"}').database.adapter, 'mysql');
});

test('force_ssl counts where the endpoint is compiled, not at run time', () => {
  const forceSsl = (file: string, value: string) =>
    app({ [file]: `import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: ${value}\n` }).endpoint
      .forceSsl;
  assert.is(forceSsl('config/prod.exs', '[hsts: true]'), '[hsts: true]');
  assert.is(forceSsl('config/prod.exs', 'false'), 'false');
  assert.is(forceSsl('config/runtime.exs', '[hsts: true]'), null);
});

test('config files found by a wildcard in a comprehension', () => {
  const { config } = app({
    'config/config.exs':
      'import Config\nfor file <- "parts/*.exs" |> Path.expand(__DIR__) |> Path.wildcard() do\n  import_config file\nend\n',
    'config/parts/a.exs': 'import Config\nconfig :shop, ShopWeb.Endpoint, force_ssl: []\n',
  });
  assert.ok(config.files.includes('config/parts/a.exs'), config.files.join());
});

const plug = (code: string) => ({
  'lib/shop_web/plug.ex': `defmodule ShopWeb.Plug do\n${code}\nend`,
  'lib/shop_web/endpoint.ex':
    'defmodule ShopWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :shop\n  plug ShopWeb.Plug\nend\n',
});
const router = (body: string) => ({
  'lib/shop_web/router.ex': `defmodule ShopWeb.Router do\n  use Phoenix.Router\n${body}\nend`,
});

const assertHealthPath = (path: string | null, files: Texts) =>
  assert.is(app(files).endpoint.healthPath, path);

test('health routes: scopes, forwards, plugs', () => {
  assertHealthPath(
    '/public/health',
    router('scope "/public" do\n  scope "/", ShopWeb do\n    get "/health", C, :show\n  end\nend'),
  );
  assertHealthPath(
    '/api/health/liveness',
    router(
      'scope "/api" do\n  get "/health/ready", C, :ready\n  get "/health/liveness", C, :live\nend',
    ),
  );
  assertHealthPath(
    '/ping',
    router('scope "/" do\n  pipe_through [:browser, :auth_optional]\n  get "/ping", C, :x\nend'),
  );
  assertHealthPath('/ops/health', router('forward "/ops/health", HealthPlug'));
  const ops = (path: string, name = 'ShopWeb.Ops') => ({
    'lib/ops.ex': `defmodule ${name} do\n  use Plug.Router\n  get "${path}" do\n    send_resp(conn, 200, "")\n  end\nend`,
  });
  assertHealthPath('/ops/healthz', {
    ...router('forward "/ops", ShopWeb.Ops'),
    ...ops('/healthz'),
  });
  assertHealthPath('/ops/health', {
    ...router('forward(\n  "/ops",\n  ShopWeb.Ops\n)'),
    ...ops('/health'),
  });
  // The path of a router answers only where it has a route
  assertHealthPath('/health/live', {
    ...router('forward "/health", ShopWeb.Ops'),
    ...ops('/live'),
  });
  assertHealthPath('/health', {
    ...router('get "/health", C, :x\nforward "/ops", Ops.Router'),
    ...ops('/x', 'Ops.Router'),
  });
  assertHealthPath('/health-check', {
    'lib/front.ex':
      'defmodule ShopWeb.Front do\n  use Plug.Router\n  plug(ShopWeb.Check, at: "/health-check")\nend',
  });
  assertHealthPath(
    '/status/alive',
    plug(
      '  @paths ["/status/alive", "/status/up"]\n  def call(%{request_path: path} = conn, _) when path in @paths do\n    send_resp(conn, 200, "")\n  end',
    ),
  );
  assertHealthPath(
    '/health_check',
    plug('  def call(%{path_info: ["health_check"]} = conn, _), do: halt(conn)'),
  );
});

test('no health route: pages of that name, guarded ones, and a plug that only lets the path pass', () => {
  assertHealthPath(
    null,
    router(
      'get "/users/:id/status", C, :x\nget "/orders/status", C, :y\nget "/:shop/health", C, :z',
    ),
  );
  assertHealthPath(
    null,
    router('scope "/" do\n  pipe_through [:browser, :require_admin]\n  get "/health", C, :x\nend'),
  );
  assertHealthPath(null, plug('  defp canonical(%{request_path: "/health"} = conn, _), do: conn'));
});

test.run();
