import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runnerPackages } from '../src/docker/packages.ts';
import { chooseImage } from '../src/fly/images.ts';
import { diffOf } from '../src/run/preview.ts';
import { app, complete, FLAGS, mixLock, projectOf, shop, type Texts } from './support/fixture.ts';
import { dep, lock, mix } from './support/shop-changes.ts';

const imageFor = (version: string | null, otp: string | null, requirement = '>= 0.0.0') => {
  const { elixir, otp: release } = chooseImage(
    { elixir: { version, otp, requirements: [requirement] } },
    'debian',
  );
  return `${elixir.replace(/^(\d+\.\d+).*/, '$1')} on ${release}`;
};

test('where an Elixir has no image for an Erlang, the nearest Erlang is taken', () => {
  // 25 is there, but on bullseye
  assert.is(imageFor('1.18.4', '25'), '1.18 on 26');
  assert.is(imageFor('1.17.3', '29'), '1.17 on 27');
  assert.is(imageFor('1.20.3', '24'), '1.20 on 27');
});

test('between two Elixirs that are equally near, the newer one is taken', () =>
  assert.is(imageFor('1.18.4', '27', '~> 1.17.0 or ~> 1.19.0'), '1.19 on 27'));

const packages = (files: Texts, dependency = ''): string[] =>
  runnerPackages(app(files, dependency), 'alpine', 27, false).split(' ');

test('chromium is in the image for chromic_pdf, and where the code starts it', () => {
  const locked = { 'mix.lock': mixLock({ chromic_pdf: [] }) };
  assert.ok(packages(locked, ', {:chromic_pdf, "~> 1.17"}').includes('chromium'));
  const code =
    'defmodule Shop.Print do\n  def run(path), do: System.cmd("chromium", [path])\nend\n';
  assert.ok(packages({ 'lib/shop/print.ex': code }).includes('chromium'));
  assert.not(packages({}).includes('chromium'));
});

test('control characters of a file do not reach the terminal with its diff', () => {
  const text = diffOf([
    { path: 'fly.toml', before: 'app = "a"\n', after: 'app = "\u001b[2Jb\u0007"\n' },
  ]);
  assert.match(text, '+app = ');
  assert.not.match(text, /\u001b\[2J|\u0007/);
});

/** Version, OTP and requirement of Elixir; the tag; a note. */
const IMAGES: [string | null, string | null, string, string, RegExp?][] = [
  ['1.18.4', '27', '~> 1.15', '1.18', /^(?!.*is not used).*CVE-2026-109821/],
  ['1.19.8', '28', '~> 1.15', '1.19', /is not known/],
  ['1.21.0', '29', '~> 1.21', '1.21'],
  ['1.17.3', '26', '~> 1.15', '1.17.3', /no security fixes/],
  ['1.18.4', '21', '~> 1.15', '1.18', /OTP 21 is not used/],
  ['1.18.4', '27', '== 1.18.4', '1.18.4'],
  ['1.16.3', '26', '~> 1.17', '1.17', /is the nearest that mix.exs allows/],
];
test("images: the minor's tag where the exact one is unknown or has holes, the exact one where it is safe", () => {
  const choose = (version: string | null, otp: string | null, requirement: string) =>
    chooseImage({ elixir: { version, otp, requirements: [requirement] } }, 'alpine');
  assert.equal(choose(null, null, '~> 1.15'), { elixir: '1.18', otp: 27, os: '3.24', notes: [] });
  for (const [version, otp, requirement, tag, note] of IMAGES) {
    const { elixir, notes } = choose(version, otp, requirement);
    assert.is(elixir, tag, `${version} ${requirement}`);
    if (note) assert.match(notes.join(), note);
  }
  assert.throws(() => choose(null, null, '~> 1.99'), /no official Elixir image/);
});

test('versions of asset tools without a musl build ask for Debian', () => {
  const base = (tool: string) =>
    complete(
      FLAGS,
      projectOf(
        shop({ ...mix(dep(`{:${tool.split(' ')[0]}, "~> 0.1"}`)), ...lock({ [tool]: [] }) }),
      ),
    ).base;
  for (const tool of ['dart_sass 0.7.1', 'bun 1.4.1', 'tailwind 0.3.0'])
    assert.is(base(tool), 'debian', tool);
  for (const tool of ['dart_sass 0.8.0', 'bun 1.4.2', 'tailwind 0.3.1'])
    assert.is(base(tool), 'alpine', tool);
});

test.run();
