/** Changes of the fixture project, to be combined: `shop({ ...mix(dep('{:oban, "~> 2.0"}')), ...NPM })`. */
import * as assert from 'uvu/assert';
import { mixExs, shop, shopLock, type Texts } from './fixture.ts';

/** Files by path; undefined takes a file away. */
export type Changes = Record<string, string | undefined>;

/** An edit of the fixture's mix.exs. */
export type Edit = [from: string | RegExp, to: string];
/** Adds dependencies. */
export const dep = (...deps: string[]): Edit => [
  '{:phoenix,',
  `${deps.join(', ')},\n      {:phoenix,`,
];
/** Adds an alias. */
export const alias = (text: string): Edit => [
  '"assets.deploy":',
  `${text},\n      "assets.deploy":`,
];
/** Adds a field to project/0. */
export const field = (text: string): Edit => ['app: :shop,', `app: :shop, ${text},`];
/** Replaces the steps of assets.deploy. */
export const deploys = (steps: string): Edit => [
  /"assets.deploy": .*/,
  `"assets.deploy": [${steps}]`,
];
export const NO_ALIAS: Edit = [/aliases: aliases\(\)/, 'aliases: []'];
/** The fixture's mix.exs with edits. */
export const mix = (...edits: Edit[]): Changes => ({
  'mix.exs': edits.reduce((text, [from, to]) => {
    assert.ok(text.search(from) >= 0, `nothing to edit: ${from}`);
    return text.replace(from, () => to);
  }, shop()['mix.exs'] ?? ''),
});
/** The fixture's mix.lock with more packages. */
export const lock = (packages: Record<string, string[]>): Changes => ({
  'mix.lock': shopLock(packages),
});
/** A package in mix.exs and in the lock. */
export const uses = (name: string, ...needs: string[]): Changes => ({
  ...mix(dep(`{:${name}, "~> 1.0"}`)),
  ...lock({ [name]: needs, ...Object.fromEntries(needs.map((need) => [need, []])) }),
});
/** A module of the app. */
export const appModule = (name: string, ...lines: string[]): Changes => ({
  [`lib/shop/${name.toLowerCase()}.ex`]: `defmodule Shop.${name} do\n${lines.map((line) => `  ${line}\n`).join('')}end\n`,
});
/** A package of npm with its lockfile. */
export const NPM = {
  'assets/package.json': '{"dependencies": {"topbar": "3"}}',
  'assets/package-lock.json': '{}',
};
/** The same with the lockfile of another package manager. */
export const withLock = (name: string, text = '{}'): Changes => ({
  'assets/package.json': NPM['assets/package.json'],
  [`assets/${name}`]: text,
});

export const RELEASES =
  'releases: [depot: [applications: [shop: :permanent, shop_web: :permanent]]], ';
/** The fixture as an umbrella of two apps. @param root what its mix.exs says besides */
export function umbrella(root = RELEASES): Texts {
  const { 'mix.lock': locked = '', ...own } = shop();
  const child = (app: string, name: string, rest: string) => {
    const fields = `app: :${app}, version: "0.1.0", build_path: "../../_build", ${rest}`;
    return mixExs(fields, `  def application, do: [mod: {${name}.Application, []}]`, name);
  };
  const web = Object.entries(own).filter(([path]) => /^(lib\/shop_web|assets\/)/.test(path));
  return {
    'mix.exs': `defmodule Depot.MixProject do
  use Mix.Project

  def project do
    [
      ${root}apps_path: "apps",
      version: "0.1.0"
    ]
  end
end
`,
    'mix.lock': locked,
    'config/config.exs':
      'import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nimport_config "#{config_env()}.exs"\n',
    'config/prod.exs': 'import Config\n',
    'apps/shop/mix.exs': child(
      'shop',
      'Shop',
      'deps: [{:ecto_sql, "~> 3.13"}, {:postgrex, ">= 0.0.0"}]',
    ),
    'apps/shop/lib/shop/application.ex':
      'defmodule Shop.Application do\n  use Application\n  def start(_, _), do: Supervisor.start_link([Shop.Repo], [])\nend\n',
    'apps/shop/lib/shop/repo.ex': own['lib/shop/repo.ex'] ?? '',
    'apps/shop_web/mix.exs': child(
      'shop_web',
      'ShopWeb',
      'deps: [{:phoenix, "~> 1.8"}, {:shop, in_umbrella: true}, {:esbuild, "~> 0.10"}], aliases: ["assets.deploy": ["esbuild shop_web --minify", "phx.digest"]]',
    ),
    ...Object.fromEntries(
      web.map(([path, text]) => [
        `apps/shop_web/${path}`,
        text.replaceAll('otp_app: :shop', 'otp_app: :shop_web'),
      ]),
    ),
  };
}

/** An import of secrets. */
export const SECRET = { 'config/prod.exs': 'import Config\nimport_config "prod.secret.exs"\n' };
/** Settings that prod.exs imports from a committed file. */
export const committed = (setting: string) => ({
  ...SECRET,
  'config/prod.secret.exs': `import Config\nconfig :shop, ShopWeb.Endpoint, ${setting}\n`,
});
