import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, type Result, resultOf } from '../src/check/check.ts';
import { Repo } from '../src/check/repo.ts';
import { requirements } from '../src/check/requirements.ts';
import type { Finding } from '../src/check/rule.ts';
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
const leavingOut = (texts: Texts, path: string): Texts =>
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
interface Trap {
  name: string;
  /** The requirement that is no longer met. */
  rule: string;
  weight: string | undefined;
  spoilt: () => Texts;
  /** The file where the fault is found, with the beginning of its line, and a part of the edit. */
  place: string;
  mend: string;
}

/**
 * Tests traps, which one reads as a diff of the generated repo, with an empty line between: `R2.4 name` (or `R2.4 must: name`),
 * flags such as `--postgres managed` for another one, `--- file` where it isn't that of the place, `-` and `+` lines for what is
 * replaced (no `-`: the whole file, neither: it goes), then `place => edit`, a part of it.
 */
export function testTraps(table: string, repo = generated): void {
  for (const block of table.trim().split('\n\n')) {
    const { name, rule, weight, spoilt, place, mend } = trapIn(block, repo);
    test(`${rule} ${name}`, () => {
      const texts = spoilt();
      const { findings } = judge(texts, rule);
      const fitting = findings.filter(
        (found) =>
          found.weight === (weight ?? found.weight) &&
          `${found.file}: ${textAt(texts, found)}`.startsWith(place) &&
          found.edit.includes(mend),
      );
      assert.is(fitting.length, 1, JSON.stringify(findings, null, 1));
    });
  }
}

function trapIn(block: string, repo: (flags?: Flags) => Texts): Trap {
  const [head = '', ...lines] = block.split('\n');
  const [place = '', mend = ''] = lines.pop()?.split(' => ') ?? [];
  const [, rule = '', weight, name = ''] =
    /^(\S+) (?:(must|should|advice): )?(.+)/.exec(head) ?? [];
  const isFlag = (line: string) => /^--\w/.test(line);
  const flags = lines.filter(isFlag).map((line) => line.slice(2).split(' '));
  const diff = lines.filter((line) => !isFlag(line)).join('\n');
  const changes = `${/^[-+] ?(?!--)/.test(diff) ? `--- ${place.split(': ')[0]}\n` : ''}${diff}`;
  const spoilt = (): Texts =>
    patched(repo(flags.length ? { ...FLAGS, ...Object.fromEntries(flags) } : undefined), changes);
  return { name, rule, weight, spoilt, place, mend };
}

/** Texts with the changes of a diff: see {@link testTraps}. */
export const patched = (texts: Texts, diff: string): Texts =>
  diff.trim().split(/^--- /m).slice(1).reduce(changed, texts);

function changed(texts: Texts, change: string): Texts {
  const [file = '', ...lines] = change.replace(/\n$/, '').split('\n');
  const marked = (mark: string) =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
  const [from, to] = [marked('-'), marked('+')];
  if (from.length) return spoil(texts, file, from.join('\n'), to.join('\n'));
  return to.length ? { ...texts, [file]: `${to.join('\n')}\n` } : leavingOut(texts, file);
}

const textAt = (texts: Texts, { file, line }: Finding): string =>
  line === null ? '' : (texts[file]?.split('\n')[line - 1]?.trim() ?? '');
