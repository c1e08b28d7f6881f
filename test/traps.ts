import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, type Result, resultOf } from '../src/check/check.ts';
import { Repo } from '../src/check/repo.ts';
import { requirements } from '../src/check/requirements.ts';
import type { Weight } from '../src/check/rule.ts';
import type { Project } from '../src/facts/detect.ts';
import { treeOf } from '../src/tree.ts';
import { after, FLAGS, planFor, projectOf, shop } from './support.ts';

export type Texts = Record<string, string>;
export type Flags = typeof FLAGS;

/** The fixture app after `npx plop fly`. */
export const generated = (flags: Flags = FLAGS): Texts => after(shop(), planFor(shop(), flags));
export const results = (texts: Texts): Result[] => check(projectOf(texts));
export const open = (texts: Texts): string[] =>
  results(texts).flatMap(({ id, verdict }) => (verdict === 'met' ? [] : [`${id} ${verdict}`]));

/** The verdict on one requirement. */
export function judge(texts: Texts, id: string): Result {
  const requirement = requirements.find((one) => one.id === id);
  if (!requirement) throw new Error(`no requirement ${id}`);
  return resultOf(requirement, new Repo(factsOf(texts)));
}

/** The facts do not hang on these files, so a repo that differs in them alone needs no new detection. */
const APART = new Set(['Dockerfile', '.dockerignore', 'fly.toml', 'rel/env.sh.eex']);
const detected = new Map<string, Project>();

function factsOf(texts: Texts): Project {
  const key = JSON.stringify(Object.entries(texts).filter(([path]) => !APART.has(path)));
  const known = detected.get(key) ?? projectOf(texts);
  detected.set(key, known);
  return { ...known, tree: treeOf(texts) };
}

/** One text of a file replaced; a spoiling that changes nothing is no test. */
export function spoil(texts: Texts, path: string, from: string, to: string): Texts {
  const before = texts[path] ?? '';
  assert.ok(before.includes(from), `${path} has no ${from}`);
  return { ...texts, [path]: before.replaceAll(from, () => to) };
}

/** Without a file. */
export const leavingOut = (texts: Texts, path: string): Texts =>
  Object.fromEntries(Object.entries(texts).filter(([name]) => name !== path));

/** A generated umbrella of two apps. */
export function umbrella(): Texts {
  const child = (app: string, rest: string) =>
    `defmodule ${app}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${app.toLowerCase()}, deps: [${rest}]]\n  def application, do: []\nend\n`;
  const texts = {
    'mix.exs':
      'defmodule Shops.MixProject do\n  use Mix.Project\n  def project, do: [apps_path: "apps", elixir: "~> 1.15", deps: [], releases: [shop: [applications: [web: :permanent]]]]\nend\n',
    'mix.lock': shop()['mix.lock'] ?? '',
    'config/config.exs': 'import Config\nconfig :web, Web.Endpoint, url: [host: "localhost"]\n',
    'apps/web/mix.exs': child('Web', '{:phoenix, "~> 1.8"}, {:bandit, "~> 1.5"}'),
    'apps/web/lib/web/endpoint.ex':
      'defmodule Web.Endpoint do\n  use Phoenix.Endpoint, otp_app: :web\n  plug Web.Router\nend\n',
    'apps/core/mix.exs': child('Core', ''),
    'apps/core/lib/core.ex': 'defmodule Core do\nend\n',
  };
  return after(texts, planFor(texts, { ...FLAGS, postgres: 'none' }));
}

/** One fault put into a repo that is in order, and what `check` must say then. */
export interface Trap {
  name: string;
  /** The requirement that is no longer met. */
  rule: string;
  weight?: Weight | undefined;
  /** The repo to spoil; the generated one, unless said otherwise. */
  repo?: () => Texts;
  /** What is replaced in which file; none where the repo itself is spoilt. */
  file?: string | undefined;
  change?: [from: string, to: string];
  /** The file where the fault is found, with the beginning of its line, and a part of the edit. */
  expect: { place: string; mend: RegExp | string };
}

/**
 * Traps as one reads a diff, with an empty line between: `R2.4 name` (or `R2.4 must: name`), `--- file` where it isn't that of
 * the place, `-` and `+` lines for what is replaced, then `place => edit`, a part of it.
 */
export const trapsIn = (table: string, repo = generated): Trap[] =>
  table
    .trim()
    .split('\n\n')
    .map((block) => {
      const lines = block.split('\n');
      const marked = (mark: string) =>
        lines
          .filter((line) => line.startsWith(mark) && !line.startsWith('---'))
          .map((line) => line.slice(2));
      const [, rule = '', weight, name = ''] =
        /^(\S+) (?:(must|should|advice): )?(.+)/.exec(block) ?? [];
      const [place = '', mend = ''] = lines.at(-1)?.split(' => ') ?? [];
      return {
        name,
        rule,
        weight: weight as Weight | undefined,
        repo,
        file: /^--- (.+)/m.exec(block)?.[1] ?? place.split(': ')[0],
        change: [marked('-').join('\n'), marked('+').join('\n')],
        expect: { place, mend },
      };
    });

/** Each spoilt repo lacks just what was spoilt, and says where and how to mend it. */
export function testTraps(traps: readonly Trap[]): void {
  for (const trap of traps) {
    test(`${trap.rule} ${trap.name}`, () => {
      const texts = spoilt(trap);
      const { findings } = judge(texts, trap.rule);
      const fitting = findings.filter(
        ({ weight, file, line, edit }) =>
          weight === (trap.weight ?? weight) &&
          `${file}: ${line === null ? '' : textAt(texts, file, line)}`.startsWith(
            trap.expect.place,
          ) &&
          (typeof trap.expect.mend === 'string'
            ? edit.includes(trap.expect.mend)
            : trap.expect.mend.test(edit)),
      );
      assert.is(fitting.length, 1, JSON.stringify(findings, null, 1));
    });
  }
}

function spoilt({ repo = generated, file, change }: Trap): Texts {
  return file && change ? spoil(repo(), file, ...change) : repo();
}

const textAt = (texts: Texts, file: string, line: number): string =>
  (texts[file] ?? '').split('\n')[line - 1]?.trim() ?? '';
