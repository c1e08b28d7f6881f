import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flyToml as flyTomlFile } from '../generators/fly-toml.ts';
import { migrateSh } from '../generators/migrate-sh.ts';
import type { OnConflict } from '../src/edit/conflict.ts';
import { queriesAtStart } from '../src/facts/start-queries.ts';
import { plan } from '../src/plan/plan.ts';
import { writeChanges } from '../src/write/write-changes.ts';
import {
  app,
  complete,
  FLAGS,
  type Flags,
  mixLock,
  notesOf,
  projectOf,
  shop,
  type Texts,
  writeFiles,
  writtenTo,
} from './support/fixture.ts';

const SCRIPT = 'rel/overlays/bin/migrate';
const script = (files: Texts): string => writtenTo(SCRIPT, shop(files));
const flyToml = (files: Texts, flags?: Flags): string => writtenTo('fly.toml', shop(files), flags);

test('the release gets a bin/migrate that runs as it is, and release_command runs it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-fly-'));
  try {
    const project = projectOf(shop());
    writeChanges(folder, plan([migrateSh], { project, answers: complete(FLAGS, project) }));
    assert.is(statSync(join(folder, SCRIPT)).mode & 0o111, 0o111);
    // The release's own command, which says what it was told to do
    writeFiles(folder, { 'bin/shop': '#!/bin/sh\nprintf "%s\\n" "$@"\n' });
    chmodSync(join(folder, 'bin/shop'), 0o755);
    copyFileSync(join(folder, SCRIPT), join(folder, 'bin/migrate'));
    const { stdout, status } = spawnSync(join(folder, 'bin/migrate'), { encoding: 'utf8' });
    assert.is(status, 0);
    assert.match(stdout, /^eval\n/);
    assert.match(stdout, 'Application.load(:shop)');
    assert.match(stdout, 'for repo <- [Shop.Repo] do');
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.match(flyToml({}, { ...FLAGS, migrate: 'yes' }), 'release_command = "/app/bin/migrate"');
});

test("the app's own script, Release module or release_command is used", () => {
  assert.is(script({ [SCRIPT]: '#!/bin/sh\n# mine\n' }), '#!/bin/sh\n# mine\n');
  const module = 'defmodule Shop.Release do\n  def migrate do\n    :ok\n  end\nend\n';
  assert.match(
    script({ 'lib/shop/release.ex': module }),
    'exec ./shop eval Shop.Release.migrate\n',
  );
  assert.match(
    script({ 'lib/shop/release.ex': module.replace('migrate', 'other') }),
    'Ecto.Migrator',
  );
  const own = 'app = "shop"\n[deploy]\nrelease_command = "/app/bin/shop eval Own.migrate"\n';
  assert.is(script({ 'fly.toml': own }), '');
  assert.match(script({ 'fly.toml': own.replace(/shop eval.*"/, 'migrate"') }), 'eval');
  assert.equal(migrateSh.outputs({ project: app(), answers: complete(FLAGS, app()) }), []);
});

test('the release lies where the Dockerfile puts it', () => {
  const releaseCommand = (copy: string, conflict: OnConflict = 'leave') => {
    const Dockerfile = `FROM elixir:1.18 AS build\nWORKDIR /src\nRUN mix release\nFROM debian:trixie-slim\nWORKDIR /srv\n${copy}\n`;
    const project = projectOf(shop({ Dockerfile }));
    const answers = complete({ ...FLAGS, migrate: 'yes' }, project);
    const [change] = plan([flyTomlFile], { project, answers }, conflict);
    return /release_command = "(.*)"/.exec(change?.after ?? '')?.[1];
  };
  assert.is(releaseCommand('COPY --from=build /src/_build/prod/rel/shop ./'), '/srv/bin/migrate');
  assert.is(releaseCommand('COPY --from=build /src/_build/prod/rel ./'), '/srv/shop/bin/migrate');
  assert.is(releaseCommand('COPY --from=build _build .'), '/srv/prod/rel/shop/bin/migrate');
  assert.is(releaseCommand('COPY --from=build /release /opt/shop/'), '/opt/shop/bin/migrate');
  assert.is(releaseCommand('COPY --from=build /opt/built .'), '/srv/bin/migrate');
  assert.is(releaseCommand('COPY --from=build /release .', 'replace'), '/app/bin/migrate');
});

test('an app that queries the database at its start is migrated before it, and a note says why', () => {
  const application = (body: string) => ({
    'lib/shop/application.ex': `defmodule Shop.Application do\n  use Application\n  alias Shop.Repo\n  def start(_type, _args) do\n    ${body}\n    Supervisor.start_link([Shop.Repo, Shop.Trader, ShopWeb.Endpoint], [])\n  end\n  defp warm, do: Shop.Settings.load()\nend\n`,
    'lib/shop/settings.ex':
      'defmodule Shop.Settings do\n  def load, do: Shop.Repo.all(Setting)\nend\n',
  });
  const reason = (files: Texts) => queriesAtStart(projectOf(shop(files)));
  const worker = (init: string) => ({
    'lib/shop/trader.ex': `defmodule Shop.Trader do\n  use GenServer\n  def init(options), do: ${init}\n  def handle_info(_, state), do: {:noreply, Shop.Repo.all(Order)}\nend\n`,
  });
  assert.is(reason(application(':ok')), undefined);
  assert.is(reason(worker('{:ok, options}')), undefined);
  assert.is(reason(application('timer = {Every, run: &Shop.Settings.load/0}')), undefined);
  assert.match(reason(application('Enum.each([1], fn _ -> warm() end)')) ?? '', 'start in');
  assert.match(reason(application('Repo.all(Setting)')) ?? '', 'start in lib/shop/application.ex');
  assert.match(reason(application('warm()')) ?? '', 'start in lib/shop/application.ex');
  assert.match(reason(worker('{:ok, Shop.Repo.all(Order)}')) ?? '', 'init in lib/shop/trader.ex');
  const oban = (version: string) =>
    app({ 'mix.lock': mixLock({ [`oban ${version}`]: [], postgrex: [] }) }, ', {:oban, "~> 2.0"}');
  assert.is(queriesAtStart(oban('2.21.4')), undefined);
  assert.match(queriesAtStart(oban('2.22.0')) ?? '', 'Oban 2.22.0');
  const files = application('warm()');
  assert.match(flyToml(files), 'release_command');
  assert.not.match(flyToml(files, { ...FLAGS, migrate: 'no' }), 'release_command');
  const project = projectOf(shop(files));
  const notes = (migrate: string) => notesOf(migrateSh, project, { ...FLAGS, migrate });
  assert.match(notes('yes'), /release_command.*as start in lib\/shop\/application.ex/);
  assert.match(notes('no'), 'the first deploy will fail');
});

test.run();
