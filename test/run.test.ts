import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../src/run/command.ts';
import {
  outputOf,
  PHOENIX_FLY,
  PLOP,
  run,
  runMain,
  shopFolder,
  startInCopy,
} from './support/commands.ts';
import { SHOP, type Texts, writeFiles } from './support/fixture.ts';
import { typeAnswers } from './support/terminal.ts';

const ANSWERS = ['--app', 'shop', '--region', 'lhr', '--postgres', 'shop-db'];
const keyboard =
  (command: string[], ...answers: [RegExp, string][]) =>
  (app: string) =>
    typeAnswers([...command, 'fly'], app, answers);

// They take seconds each: begun with the first test of all files, so that the wait for them is short
const answered = startInCopy(
  keyboard(
    [process.execPath, ...PLOP],
    [/app name/, '\r'],
    [/Region/, 'london'],
    [/London/, '\r'],
    [/Postgres\?/, '\r'],
    [/Write \d files/, 'y\r'],
  ),
);
const plain = startInCopy(
  keyboard(
    ['env', 'TERM=dumb', process.execPath, ...PHOENIX_FLY],
    [/app name/, '\n'],
    [/Region/, 'nowhere\n'],
    [/"nowhere" is not[\s\S]*Region/, 'london\n'],
    [/Postgres\?/, '\n'],
    [/Write \d files/, 'y\n'],
  ),
);
const plainlyEnded = startInCopy(
  keyboard(['env', 'TERM=dumb', process.execPath, ...PHOENIX_FLY], [/app name/, '\u0003']),
);
const renewed = startInCopy((app) => {
  writeFileSync(join(app, 'fly.toml'), 'app = "shop"\nprimary_region = "mad"\n');
  return typeAnswers([process.execPath, ...PHOENIX_FLY, 'fly'], app, [
    [/app name/, '\r'],
    [/Fly closed the region mad[\s\S]*Region/, '\r'],
    [/Postgres\?/, 'none'],
    [/none: the app has a database/, '\u001b'],
  ]);
});
const stopped = startInCopy(keyboard([process.execPath, ...PHOENIX_FLY], [/app name/, '\u001b']));
const interrupted = startInCopy(keyboard([process.execPath, ...PLOP], [/app name/, '\u0003']));
const conflicting = startInCopy((app) => {
  writeFileSync(join(app, 'Dockerfile'), 'FROM debian:trixie\n');
  return typeAnswers([process.execPath, ...PHOENIX_FLY, 'dockerfile'], app, [
    [/What to do there\?[\s\S]*show/, '\r'],
  ]);
});
const refused = startInCopy((app) => run(PLOP, ['fly', '--dest', app, '--', ...ANSWERS]));

/** What is given, what is said, how the project is spoilt. */
const BAD: [string[], RegExp, ((folder: string) => void)?][] = [
  [['--app', 'My_Shop', '--region', 'lhr'], /--app: "My_Shop".*my-shop/],
  [['--region', 'xyz'], /"xyz" is not a Fly region/],
  [['--region', 'sea'], /closed the region sea; use sjc/],
  [['--regoin', 'lhr'], /Unknown option '--regoin' \(flags: .*--region/],
  [[], /pass --region/],
  [[...ANSWERS, '--release', 'nope'], /no release nope; it has shop/],
  [['--region', 'lhr', '--postgres', 'none'], /Shop\.Repo/],
  [['--region', '--app', 'shop'], /'--region' argument is ambiguous\. Did you forget/],
  [[...ANSWERS, '--yes=no'], /'-y, --yes' does not take an argument/],
  [[...ANSWERS, ...'abcdefgh'], /one answer too many/],
  [ANSWERS, /pass --write yes/],
  [
    ANSWERS,
    /fly.toml is not valid TOML/,
    (folder) => writeFileSync(join(folder, 'fly.toml'), 'app = '),
  ],
  [
    [...ANSWERS, '--dry-run'],
    /^[^+]*\.dockerignore is a symbolic link, a folder/,
    (folder) => {
      rmSync(join(folder, '.dockerignore'), { force: true });
      symlinkSync('.gitignore', join(folder, '.dockerignore'));
    },
  ],
  [ANSWERS, /no mix.lock/, (folder) => rmSync(join(folder, 'mix.lock'))],
  [ANSWERS, /no mix.exs/, (folder) => rmSync(join(folder, 'mix.exs'))],
];
test('each mistake: one clear message, nothing written', async () => {
  for (const [args, message, spoil] of BAD) {
    const app = shopFolder();
    spoil?.(app);
    const { code, out } = await runMain('fly', '--dest', app, ...args);
    assert.is(code, 1, out);
    assert.match(out, message);
    assert.is(out.match(/^phoenix-fly: /gm)?.length, 1, out);
    assert.not(existsSync(join(app, 'Dockerfile')), out);
  }
});

test('--dry-run shows the diff and writes nothing, also with -y', async () => {
  const app = shopFolder();
  assert.match(await outputOf('fly', app, [...ANSWERS, '-y', '--dry-run']), '+app = "shop"');
  assert.not(existsSync(join(app, 'fly.toml')));
});

test('variables that the written files set are no step', async () => {
  const app = shopFolder();
  const read = '\nconfig :shop, q: System.fetch_env!("DNS_CLUSTER_QUERY")\n';
  appendFileSync(join(app, 'config/runtime.exs'), read);
  const out = await outputOf('fly', app, [...ANSWERS, '--write', 'yes']);
  assert.not.match(out, /^ +DNS_CLUSTER_QUERY/m);
});

test('a Dockerfile that stays gets no notes', async () => {
  const app = shopFolder();
  const note = /Dockerfile: Elixir 1\.18\.4 has known security holes/;
  assert.match(await outputOf('dockerfile', app, ['--write', 'no']), note);
  writeFileSync(join(app, 'Dockerfile'), 'FROM debian:bullseye\n');
  const kept = await outputOf('fly', app, [...ANSWERS, '--write', 'yes']);
  assert.not.match(kept, note);
  assert.match(kept, 'Dockerfile keeps your lines');
  assert.match(kept, /before you deploy .*\n(?: {2}.*\n)* {2}Dockerfile:1: /);
  assert.match(await outputOf('dockerfile', app, ['--conflict', 'replace', '--write', 'no']), note);
});

test('merge is not offered for a foreign Dockerfile, and --conflict merge leaves it', async () => {
  const { out } = await conflicting.exit;
  assert.match(out, 'replace  yours by ours');
  assert.not.match(out, 'merge');
  const app = shopFolder();
  writeFileSync(join(app, 'Dockerfile'), 'FROM debian:trixie\n');
  const merge = ['--conflict', 'merge', '--write', 'yes'];
  assert.match(await outputOf('dockerfile', app, merge), 'Dockerfile keeps your lines');
  assert.is(readFileSync(join(app, 'Dockerfile'), 'utf8'), 'FROM debian:trixie\n');
});

const module = (name: string, lines: string) => `defmodule ${name} do\n  ${lines}\nend\n`;
const inUmbrella = (otp: string, name: string): Texts => ({
  [`apps/${otp}/mix.exs`]: module(
    `${name}.MixProject`,
    `use Mix.Project\n  def project, do: [app: :${otp}, aliases: ["assets.deploy": ["phx.digest"]], deps: [{:phoenix, "~> 1.8"}]]`,
  ),
  [`apps/${otp}/lib/endpoint.ex`]: module(
    `${name}Web.Endpoint`,
    `use Phoenix.Endpoint, otp_app: :${otp}\n  plug Plug.Head`,
  ),
});
const UMBRELLA = {
  'mix.exs': module(
    'Root.MixProject',
    'use Mix.Project\n  def project, do: [apps_path: "apps", releases: [alpha: [applications: [alpha: :permanent]], beta: [applications: [beta: :permanent]]], deps: []]',
  ),
  'config/config.exs': 'import Config\n',
  ...inUmbrella('alpha', 'Alpha'),
  ...inUmbrella('beta', 'Beta'),
};
test('an umbrella of two releases is generated for the one that --release names', async () => {
  const app = shopFolder();
  for (const path of ['lib', 'config', '.tool-versions'])
    rmSync(join(app, path), { recursive: true });
  writeFiles(app, UMBRELLA);
  const unnamed = await runMain('fly', '--dest', app, '--region', 'lhr', '-n');
  assert.match(unnamed.out, /--release alpha or --release beta/);
  const shown = await outputOf('fly', app, ['--region', 'lhr', '--release', 'beta', '-n']);
  assert.match(shown, /^Found beta/);
  assert.match(shown, 'BetaWeb.Endpoint');
  assert.match(shown, '--app beta cmd mix assets.deploy');
  assert.not.match(shown, /AlphaWeb|--app alpha/);
});

test('check prints no escape sequences without a terminal', async () => {
  const { out } = await runMain('check', '--dest', SHOP);
  assert.match(out, /^ {2}must +R1\.1/m);
  assert.not.match(out, /\u001b|\\u001b/);
});

test("a file's command needs only the answers of that file", async () => {
  assert.match(
    await outputOf('dockerignore', shopFolder(), ['--write', 'no']),
    'Nothing was written.',
  );
});

test('plop ends with 1 where something is wrong, and says it once', async () => {
  const { code, out, err } = await refused.exit;
  assert.is(code, 1, out + err);
  assert.is((out + err).split('pass --write yes').length, 2, out + err);
  assert.not(existsSync(join(refused.app, 'Dockerfile')));
});

test("a second run has nothing to change, nor has a file's command", async () => {
  const app = shopFolder();
  assert.match(await outputOf('fly', app, [...ANSWERS, '-y']), 'fly deploy --ha=false');
  assert.ok(existsSync(join(app, 'fly.toml')));
  assert.match(await outputOf('fly', app, [...ANSWERS, '--write', 'yes']), 'Nothing to change');
  assert.match(await outputOf('dockerfile', app, []), 'Nothing to change');
});

test('a person answers three questions and says yes', async () => {
  const { code, out } = await answered.exit;
  assert.is(code, 0, out);
  const fly = readFileSync(join(answered.app, 'fly.toml'), 'utf8');
  assert.match(fly, 'primary_region = "lhr"');
  assert.match(fly, 'fly postgres attach shop-db');
});

test('a prompt begins with the successor of a closed region, and refuses what the app rules out', async () => {
  const { code, out } = await renewed.exit;
  assert.is(code, 130, out);
  assert.match(out, /Region\?.*cdg/);
});

test('plop and phoenix-fly take answers without names, and print the same', async () => {
  const [plain, dashed] = await Promise.all([
    run(PHOENIX_FLY, ['fly', 'shop', 'lhr', 'shop-db', '-n', '--dest', shopFolder()]),
    run(PLOP, ['fly', 'shop', '--dest', shopFolder(), '--', 'lhr', 'shop-db', '--dry-run']),
  ]);
  const cut = (text: string) =>
    text.replace(/Again without questions: .*/, '').replaceAll('npx plop', 'npx phoenix-fly');
  assert.is(cut(dashed.out), cut(plain.out));
  assert.match(plain.out, /Again without questions: npx phoenix-fly fly --dest \S+ --app shop/);
  assert.match(dashed.out, /Again without questions: npx plop fly --dest \S+ -- --app shop/);
  assert.is(plain.err + dashed.err, '');
});

test('help lists commands, flags and their defaults', async () => {
  const { out: help } = await runMain('--help');
  const { out: helpOfDockerfile } = await runMain('dockerfile', '-h');
  for (const name of Object.keys(commands)) assert.match(help, new RegExp(`^  ${name} `, 'm'));
  assert.match(help, /-y, --yes/);
  assert.match(help, /--memory 1gb .*without it: 1gb/);
  assert.match(helpOfDockerfile, '--base');
  assert.not.match(helpOfDockerfile, '--region');
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.match((await runMain('completion', shell)).out, / dockerfile .*--region/);
});

test('a terminal that only prints lines is asked line by line', async () => {
  const { code, out } = await plain.exit;
  assert.is(code, 0, out);
  assert.match(out, 'nowhere');
  assert.match(readFileSync(join(plain.app, 'fly.toml'), 'utf8'), 'primary_region = "lhr"');
  const ended = await plainlyEnded.exit;
  assert.is(ended.code, 130, ended.out);
  assert.match(ended.out, /nothing was written/i);
});

test('Esc ends with 130, says so and writes nothing', async () => {
  const { code, out } = await stopped.exit;
  assert.is(code, 130, out);
  assert.match(out, 'Nothing was written.');
});

test('Ctrl-C ends with 130 and writes nothing', async () => {
  const { code, out } = await interrupted.exit;
  assert.is(code, 130, out);
  assert.not(existsSync(join(interrupted.app, 'fly.toml')));
});

test.run();
