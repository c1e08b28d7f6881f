/** The files that a Dockerfile copies for the stage that reads them. */
import { test } from 'uvu';
import { testDockerfiles, withoutPart, withPart } from './support/dockerfile.ts';
import { alias, appModule, dep, field, mix } from './support/shop-changes.ts';

const GIT = appModule('Build', 'def sha, do: System.cmd("git", ["rev-parse"])');

testDockerfiles({
  ...withPart([
    [
      {
        'config/prod.exs': 'import Config\nconfig :shop, version: File.read!("VERSION")\n',
        VERSION: '1',
      },
      'COPY VERSION ./\n … AS deps',
    ],
    [{ 'native/prices/build.zig': '' }, 'COPY native native\n'],
    [{ 'config/regions.json': '[]' }, 'deps.loadpaths … COPY config config\n … mix do compile'],
    [
      { 'config/runtime.exs': undefined, 'config/releases.exs': 'import Config\n' },
      'COPY config/releases.exs config/\n',
    ],
  ]),
  ...withoutPart([
    [GIT, /COPY \.git/],
    [
      {
        'config/runtime.exs': 'import Config\nconfig :shop, a: File.read!("config/regions.json")\n',
        'config/regions.json': '[]',
      },
      /COPY config\/regions/,
    ],
    [{ 'src/app.js': '' }, /COPY src/],
    [{ 'native/swiftui/App.swift': '' }, /COPY native/],
  ]),
  'folders of its own for dependencies': {
    texts: mix(field('deps_path: "/mix/deps"')),
    has: ['LANG=C.UTF-8 MIX_DEPS_PATH=/app/deps MIX_BUILD_PATH=/app/_build/prod\n … COPY mix.exs'],
  },
  'a path dependency, which is there before deps.get, and copied once': {
    texts: {
      ...mix(dep('{:gadget, path: "vendor/gadget"}')),
      'vendor/gadget/mix.exs':
        'defmodule Gadget.MixProject do\n  use Mix.Project\n  def project, do: [app: :gadget]\nend\n',
      ...appModule('Docs', 'use Docs, from: "vendor/gadget"'),
    },
    has: ['COPY vendor/gadget vendor/gadget\n … deps.get --only prod'],
    lacks: /COPY vendor[\s\S]*COPY vendor/,
  },
  'folders and files that macros read while the code compiles': {
    texts: {
      'lib/shop_web/storybook.ex':
        'defmodule ShopWeb.Storybook do\n  use PhoenixStorybook,\n    content_path: Path.expand("../../storybook", __DIR__),\n    css_path: "/assets/storybook.css"\nend\n',
      'storybook/button.story.exs': 'defmodule Button do\nend\n',
      ...appModule('Docs', 'use Docs, from: "guides/deep", title: "no folder"'),
      'guides/deep/a.md': 'a',
      ...appModule(
        'Stories',
        '@stories Path.expand("../../stories", __DIR__)',
        'use PhoenixStorybook, content_path: @stories',
      ),
      'stories/a.story.exs': '',
      ...appModule('Posts', 'use NimblePublisher, from: "./posts/**/*.md", as: :posts'),
      'posts/2026/a.md': '',
      ...appModule(
        'Schema',
        'use Absinthe.Schema',
        'import_sdl path: "graphql/schema.graphql"',
        'terms_file!("legal/terms.md")',
      ),
      'graphql/schema.graphql': '',
      'legal/terms.md': '',
      ...appModule(
        'Mail',
        'use Phoenix.Component',
        'embed_templates "../../mails/*"',
        '@version File.read!(Path.join(File.cwd!(), "VERSION"))',
        'def version, do: @version',
      ),
      'mails/hello.html.heex': '',
      VERSION: '1',
    },
    has: [
      'COPY storybook … COPY guides/deep … COPY stories … COPY posts posts\n … COPY graphql/schema.graphql … COPY legal/terms.md … COPY mails',
      'COPY VERSION',
    ],
  },
  "code of Mix's other compilers": {
    texts: { 'src/shop_lexer.xrl': '', 'include/shop.hrl': '', 'cli/src/a.erl': '' },
    has: ['COPY src src\nCOPY include include\n … find lib src include -type f -exec touch'],
  },
  'scripts that aliases run, and what lies beside them': {
    texts: {
      ...mix(
        alias(
          '"phx.digest": ["phx.digest", "cmd make seal"], stamp: ["cmd ./scripts/stamp.sh"], release: ["stamp", "release"], lint: ["cmd ci/lint.sh"], compile: ["cmd sh -c \\". ./.env && true\\"", "compile"]',
        ),
      ),
      'scripts/stamp.sh': '#!/bin/sh\n',
      'ci/lint.sh': '#!/bin/sh\n',
      Makefile: 'seal:\n',
      '.env': '',
    },
    has: ['AS builder … COPY Makefile Makefile\n … COPY scripts scripts\n … mix do compile'],
    lacks: /COPY (ci|\.env)/,
  },
  'what elixir_make compiles: the Makefile, and the folders that it names': {
    texts: {
      ...mix(field('compilers: [:elixir_make] ++ Mix.compilers()')),
      Makefile:
        'all:\n\tcc -Ivendor_c/include c_src/x.c\ndocs:\n\tdocker build -f Dockerfile .\n\tfly deploy -c fly.toml\n',
      'docs/a.md': '',
      'c_src/x.c': '',
      'vendor_c/include/x.h': '',
    },
    has: [
      'COPY Makefile Makefile\n … COPY c_src c_src\n … COPY vendor_c vendor_c\n … mix do compile',
    ],
    lacks: /COPY (Dockerfile|fly|docs)/,
  },
  'a Makefile of another name': {
    texts: {
      ...mix(field('compilers: [:elixir_make], make_makefile: "Makefile.nif"')),
      'Makefile.nif': 'all:\n\tcc native/x.c\n',
      'native/x.c': '',
    },
    has: ['COPY Makefile.nif Makefile.nif\n … COPY native native\n … mix do compile'],
  },
  'folders that a step of the release copies, however they are named': {
    texts: {
      ...mix([
        'defp aliases',
        '@extra "extra"\n  def seal(r), do: File.cp_r!(Path.expand("certs", __DIR__), r) && File.cp_r!(@extra, r) && ("more" |> File.cp_r!(r))\n\n  defp aliases',
      ]),
      'certs/a.txt': '',
      'extra/a.txt': '',
      'more/a.txt': '',
    },
    has: ['COPY certs certs\n … COPY extra extra\n … COPY more more\n'],
  },
  'elixir_make in the folder of the app': {
    texts: {
      ...mix(field('compilers: [:elixir_make | Mix.compilers()], make_cwd: "."')),
      Makefile: '',
    },
    has: ['COPY Makefile Makefile\n'],
  },
  "the folder of elixir_make's own": {
    texts: {
      ...mix(field('compilers: [:elixir_make | Mix.compilers()], make_cwd: "fft"')),
      'fft/Makefile': '',
    },
    has: ['COPY fft fft\n'],
  },
  'mix.exs that asks git': {
    texts: mix(['"0.1.0"', 'elem(System.cmd("git", ["describe", "--tags"]), 0)']),
    has: ['COPY .git .git\n … deps.get'],
    notes: /The build asks git/,
  },
  'a file of mix.exs that asks git': {
    texts: {
      ...mix(['"0.1.0"', 'elem(Code.eval_file("version.exs"), 0)']),
      'version.exs': 'elem(System.cmd("git", ["describe"]), 0)\n',
    },
    has: ['COPY .git .git\n'],
  },
  'a module that asks git while it compiles': {
    texts: appModule('Build', '@sha :os.cmd(~c"git rev-parse HEAD")', 'def sha, do: @sha'),
    has: ['AS builder … COPY .git .git\n'],
    lacks: /ca-certificates.*\bgit\b/,
  },
  'what a step of the release copies': {
    texts: {
      ...mix(field('releases: [shop: [overlays: ["ops/overlay"], steps: [:assemble, &extra/1]]]'), [
        /end\s*$/,
        '\n  defp extra(release) do\n    File.cp_r!("seeds", Path.join(release.path, "seeds"))\n    release\n  end\nend\n',
      ]),
      'ops/overlay/motd': 'hello',
      'seeds/a.csv': '1',
    },
    has: ['COPY seeds seeds\n … COPY ops/overlay ops/overlay\n'],
  },
  'a file that runtime.exs reads': {
    texts: {
      'config/runtime.exs':
        'import Config\nCode.require_file("../support/settings.exs", __DIR__)\n',
      'support/settings.exs': 'defmodule Settings do\nend\n',
    },
    has: [
      'deps.loadpaths … COPY config/runtime.exs config/\n',
      'COPY support/settings.exs support/\n … mix do compile',
    ],
  },
});

test.run();
