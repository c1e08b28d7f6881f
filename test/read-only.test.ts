import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { afterFly, shop, shopLock, type Texts } from './support/fixture.ts';
import { findingsOf } from './support/traps.ts';

const config = (setting: string): Texts =>
  shop({ 'config/prod.exs': `import Config\nconfig ${setting}\n` });
const code = (body: string): Texts =>
  shop({
    'lib/shop/files.ex': `defmodule Shop.Files do\n  def keep(path) do\n    ${body}\n  end\nend\n`,
  });
const locked = (name: string, texts: Texts = shop()): Texts => ({
  ...texts,
  'mix.lock': shopLock({ [`${name} 1.0.0`]: [] }),
});
/** The findings that a run leaves. */
const findings = (texts: Texts): string => findingsOf(afterFly(texts), 'B13');

const WRITES: [Texts, string][] = [
  [locked('tzdata', config(':tzdata, :autoupdate, :enabled')), 'must config/prod.exs:2 tzdata'],
  [code('{Tz.UpdatePeriodically, path}'), 'should mix.lock:null tz writes'],
  [config(':mnesia, dir: ~c"mnesia"'), 'should config/prod.exs:2 mnesia writes what it keeps'],
  [
    config(':logger, :error_log, path: "log/error.log"'),
    "should config/prod.exs:2 Logger's error_log writes log/error.log",
  ],
  [
    config(':logger, :default_handler, config: [file: ~c"/var/log/shop.log"]'),
    "Logger's default_handler writes /var/log/shop.log",
  ],
  [config(':waffle, storage: Waffle.Storage.Local'), 'should config/prod.exs:2 waffle'],
  [config(':shop, upload_dir: "priv/static/uploads"'), 'should config/prod.exs:2 upload_dir is'],
  [code('File.mkdir_p!("/app/tmp")'), 'must lib/shop/files.ex:3 File.mkdir_p! writes below /app'],
  [
    code(
      'dest = Path.join([:code.priv_dir(:shop), "static", "uploads", path])\n    File.cp!(path, dest)',
    ),
    'should lib/shop/files.ex:4 File.cp! writes below priv',
  ],
  [code('File.write(Application.app_dir(:shop, "priv/x"), "")'), 'File.write writes below priv'],
  [code('File.write!("priv/static/x", "")'), 'File.write! writes below priv'],
  [code('File.write!("uploads/x", path)'), 'File.write! writes below the working directory'],
  [
    code(':disk_log.open(name: path, file: ~c"log/audit.log")'),
    'should lib/shop/files.ex:3 :disk_log.open writes below the working directory',
  ],
  [
    config(':shop, :logger, [{:handler, :file, :logger_std_h, %{config: %{file: ~c"a.log"}}}]'),
    'writes a.log',
  ],
  [locked('ra'), 'should mix.lock:null ra writes its log'],
  [
    code('"uploads" |> Path.join("x") |> File.write!(path)'),
    'File.write! writes below the working directory',
  ],
  [
    code('x = Path.join("uploads", "x") |> File.write!(path)'),
    'File.write! writes below the working directory',
  ],
  [
    code('root = System.get_env("FILES") || "/data"\n    File.mkdir_p!(root)'),
    'should lib/shop/files.ex:4 File.mkdir_p! writes outside /tmp and the volumes',
  ],
  [
    {
      ...shop(),
      'config/runtime.exs': `${shop()['config/runtime.exs']}\nFile.mkdir_p!("/data")\n`,
    },
    'File.mkdir_p! writes outside /tmp and the volumes',
  ],
  [
    code(
      'to = Path.join(Application.app_dir(:shop, "priv"), path)\n    File.mkdir_p(Path.dirname(to))',
    ),
    'File.mkdir_p writes below priv',
  ],
  [code('{CubDB, data_dir: "data/cubdb"}'), 'should lib/shop/files.ex:3 CubDB writes below'],
  [
    code('File.cp!(path, "uploads/x") && File.touch!("/tmp/done")'),
    'File.cp! writes below the working directory',
  ],
];

test('code and settings that write below the release are findings', () => {
  for (const [texts, said] of WRITES) assert.match(findings(texts), said);
});

test('paths that may be written, or are only read, are no findings', () => {
  for (const texts of [
    locked('tzdata'),
    locked('tzdata', config(':tzdata, :data_dir, "/tmp/tzdata"')),
    config(':logger, :error_log, path: "/tmp/error.log"'),
    config(':waffle, storage: Waffle.Storage.S3'),
    config(':shop, upload_dir: "/tmp/uploads", storage_url: "priv/x"'),
    {
      ...code('File.mkdir_p!("/data/files")'),
      'fly.toml': '[mounts]\nsource = "d"\ndestination = "/data"\n',
    },
    code('File.cp!(Application.app_dir(:shop, "priv/seed"), Path.join(System.tmp_dir!(), path))'),
    shop({
      'lib/tasks/copy.ex':
        'defmodule Mix.Tasks.Copy do\n  use Mix.Task\n  def run(_), do: File.write!("priv/x", "")\nend\n',
    }),
    code('File.read!(Application.app_dir(:shop, "priv/seed"))'),
    code('File.write!(Path.join(System.tmp_dir!(), "x"), path)'),
    code('Path.join(System.tmp_dir!(), "x") |> File.write!(path)'),
    // What the path begins with is not known
    code('File.write!(Path.join(path, "uploads/x"), path)'),
    code('File.write!("#{path}/uploads/x", path)'),
    code('{CubDB, data_dir: "/tmp/cubdb"}'),
    {
      ...config(':mnesia, dir: ~c"/data/mnesia"'),
      'fly.toml': 'app = "shop"\n[mounts]\nsource = "data"\ndestination = "/data"\n',
    },
  ])
    assert.is(findings(texts), '');
});

test.run();
