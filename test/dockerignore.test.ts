import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shop, writtenTo } from './support/fixture.ts';
import { alias, appModule, type Changes, committed, mix, NPM } from './support/shop-changes.ts';

const ASSETS = { 'priv/static/assets/app.css': 'body {}' };
const DESCRIBE = mix(['"0.1.0"', 'elem(System.cmd("git", ["describe", "--tags"]), 0)']);
const PEM = (kind: string) => `-----BEGIN ${kind} KEY-----\nMII\n`;
/** The repo, lines that its .dockerignore has, and what it hasn't. */
const IGNORES: [string, Changes, string[], RegExp?][] = [
  [
    'local asset builds stay out',
    {},
    ['\n/priv/static/assets\n/priv/static/cache_manifest.json\n'],
    /!\.git/,
  ],
  ['assets that are source stay in', ASSETS, [], /priv\/static\/assets/],
  [
    'assets that git ignores are no source',
    { ...ASSETS, '.gitignore': '/priv/static/assets/\n' },
    ['/priv/static/assets\n'],
  ],
  ['what git needs', DESCRIBE, ['!.git/HEAD\n', '!.git/refs\n', '!.git/objects\n']],
  [
    "what the build reads, over the owner's lines; public keys too, private ones never",
    {
      ...NPM,
      '.dockerignore': '*.json\nmix.lock\n',
      'test/fixtures/public.pem': PEM('PUBLIC'),
      'priv/keys/public.pem': PEM('PUBLIC'),
      'priv/keys/private.pem': PEM('PUBLIC') + PEM('PRIVATE'),
    },
    ['*.json\nmix.lock\n', '!mix.lock\n', '!priv/keys/public.pem\n', '!**/.env*.example'],
    /!(priv\/keys\/private|test\/fixtures)/,
  ],
  [
    'certificates that the configuration reads',
    {
      'config/prod.exs': 'import Config\nconfig :shop, ca: File.read!("certs/ca.pem")\n',
      'certs/ca.pem': PEM('PUBLIC'),
    },
    ['!certs/ca.pem\n'],
  ],
  [
    'the folder of the release, and that of a script, but no secrets in them',
    {
      ...mix(alias('release: ["cmd sh scripts/stamp.sh", "release"]')),
      'scripts/stamp.sh': '',
      '.dockerignore': 'rel\nscripts\n',
    },
    ['!rel\nrel/**/.env*\n', '\nrel/**/*.key\n', '!scripts\nscripts/**/.env*\n'],
  ],
  [
    'folders that the build copies, but no packages in them; one of which files are let in is left',
    {
      'assets/js/app.js': '',
      'priv/gettext/a.pot': '',
      '.dockerignore': 'assets/*\npriv\nlib\n!lib/**\n',
    },
    ['!assets\nassets/**/.env*\n', '\nassets/**/node_modules\n', '!priv\n'],
    /!lib\n/,
  ],
  [
    'a private key that the code reads stays out; a file of ours that is new comes in',
    {
      ...appModule('Key', '@key File.read!("own.pem")', 'def key, do: @key'),
      'own.pem': PEM('PRIVATE'),
      'config/runtime.exs': undefined,
      '.dockerignore': '*.pem\n**/*.exs\n',
    },
    ['!config/runtime.exs\n', '!mix.exs\n'],
    /!own/,
  ],
  ['an example that its owner keeps out', { '.dockerignore': '.env*\n' }, [], /\.example/],
  [
    'settings that only read the environment',
    committed('secret_key_base: System.get_env("SECRET_KEY_BASE")'),
    ['!config/prod.secret.exs\n'],
  ],
  ['settings that hold a secret', committed('secret_key_base: "8Kd0"'), [], /!config\/prod.secret/],
];
test('.dockerignore keeps junk and secrets out, and lets in what the build reads', () => {
  for (const [name, texts, has, lacks] of IGNORES) {
    const text = writtenTo('.dockerignore', shop(texts));
    for (const line of has) assert.ok(text.includes(line), `${name}: ${line} in\n${text}`);
    if (lacks) assert.not.match(text, lacks, name);
  }
});

test.run();
