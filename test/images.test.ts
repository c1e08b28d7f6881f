import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runnerPackages } from '../src/docker/packages.ts';
import { chooseImage } from '../src/fly/images.ts';
import { diffOf } from '../src/run/preview.ts';
import { app, mixLock } from './support/fixture.ts';

const imageFor = (version: string | null, otp: string | null, requirement = '>= 0.0.0') => {
  const { elixir, otp: release } = chooseImage(
    { elixir: { version, otp, requirements: [requirement] } },
    'debian',
  );
  return `${elixir.replace(/^(\d+\.\d+).*/, '$1')} on ${release}`;
};

test('an Erlang that an Elixir has no image for gives way to the nearest', () => {
  // 25 is there, but on bullseye
  assert.is(imageFor('1.18.4', '25'), '1.18 on 26');
  assert.is(imageFor('1.17.3', '29'), '1.17 on 27');
  assert.is(imageFor('1.20.3', '24'), '1.20 on 27');
});

test('between two Elixirs that are equally near, the newer one is taken', () =>
  assert.is(imageFor('1.18.4', '27', '~> 1.17.0 or ~> 1.19.0'), '1.19 on 27'));

const packages = (files: Record<string, string>, dependency = ''): string[] =>
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

test.run();
