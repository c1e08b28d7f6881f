import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, type Result, resultOf } from '../../src/check/check.ts';
import { Repo } from '../../src/check/repo.ts';
import { requirements } from '../../src/check/requirements.ts';
import type { Finding } from '../../src/check/rule.ts';
import type { Project } from '../../src/facts/detect.ts';
import { treeOf } from '../../src/tree.ts';
import { afterFly, FLAGS, type Flags, projectOf, shop, type Texts } from './fixture.ts';

/** The fixture app after `npx plop fly`. */
export const generated = (flags?: Flags): Texts => afterFly(shop(), flags);
/** All that `check` finds. */
export const checkTexts = (texts: Texts): Result[] => check(projectOf(texts));
/** The requirements that are not met, as `R2.4 must`. */
export const unmet = (texts: Texts): string[] =>
  checkTexts(texts).flatMap(({ id, verdict }) => (verdict === 'met' ? [] : [`${id} ${verdict}`]));

/** What `check` finds for one requirement. */
export function resultFor(texts: Texts, id: string): Result {
  const requirement = requirements.find((row) => row.id === id);
  if (!requirement) throw new Error(`no requirement ${id}`);
  return resultOf(requirement, new Repo(factsOf(texts)));
}

/** The findings for one requirement, a line for each: `must fly.toml:3 what is wrong`. */
export const findingsOf = (texts: Texts, id: string): string =>
  resultFor(texts, id)
    .findings.map(({ weight, file, line, what }) => `${weight} ${file}:${line} ${what}`)
    .join('\n');

/** No fact depends on these files, so repos that differ in them alone share their facts. */
const FILES_WITHOUT_FACTS = new Set(['Dockerfile', '.dockerignore', 'fly.toml', 'rel/env.sh.eex']);
const detected = new Map<string, Project>();

function factsOf(texts: Texts): Project {
  const key = JSON.stringify(
    Object.entries(texts).filter(([path]) => !FILES_WITHOUT_FACTS.has(path)),
  );
  const project = detected.get(key) ?? projectOf(texts);
  detected.set(key, project);
  return { ...project, tree: treeOf(texts) };
}

/** Texts with a change in one file. @throws where the file has no such text, since the test would then prove nothing */
export function replaceIn(texts: Texts, path: string, from: string, to: string): Texts {
  const before = texts[path] ?? '';
  assert.ok(before.includes(from), `${path} has no ${from}`);
  return { ...texts, [path]: before.replaceAll(from, () => to) };
}

/** An umbrella of two apps after `npx plop fly`. */
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
  return afterFly(texts, { ...FLAGS, postgres: 'none' });
}

/** A fault put into a repo that is in order, and what `check` must find then. */
interface Trap {
  name: string;
  /** The requirement that is no longer met. */
  rule: string;
  weight: string | undefined;
  /** The repo with the fault. */
  repo: () => Texts;
  /** The start of `FILE: LINE`, where the fault is found. */
  location: string;
  /** A part of the edit. */
  edit: string;
}

/**
 * Makes a test of each trap in a table, which has an empty line between traps. A trap is a name, a diff of the generated
 * repo, and the finding:
 *
 *     R2.4 must: no header              the requirement, the weight (may be left out), the name
 *     --postgres managed                flags that the repo is generated with
 *     --- fly.toml                      the changed file; may be left out where it is that of the finding
 *     - old                             without `-` lines the whole file is replaced; without `+` too it is removed
 *     + new
 *     fly.toml: new => add the header   file, start of the line, and a part of the edit
 */
export function testTraps(table: string, generate = generated): void {
  for (const block of table.trim().split('\n\n')) {
    const { name, rule, weight, repo, location, edit } = parseTrap(block, generate);
    test(`${rule} ${name}`, () => {
      const texts = repo();
      const { findings } = resultFor(texts, rule);
      const matching = findings.filter(
        (finding) =>
          finding.weight === (weight ?? finding.weight) &&
          `${finding.file}: ${lineOf(texts, finding)}`.startsWith(location) &&
          finding.edit.includes(edit),
      );
      assert.is(matching.length, 1, JSON.stringify(findings, null, 1));
    });
  }
}

function parseTrap(block: string, generate: (flags?: Flags) => Texts): Trap {
  const [head = '', ...lines] = block.split('\n');
  const [, rule = '', weight, name = ''] =
    /^(\S+) (?:(must|should|advice): )?(.+)/.exec(head) ?? [];
  const [location = '', edit = ''] = lines.pop()?.split(' => ') ?? [];
  const isFlag = (line: string) => /^--\w/.test(line);
  const flags = lines.filter(isFlag).map((line) => line.slice(2).split(' '));
  const diff = lines.filter((line) => !isFlag(line)).join('\n');
  const namesFile = diff.startsWith('--- ');
  const [file] = location.split(': ');
  const repo = (): Texts => {
    const texts = generate(flags.length ? { ...FLAGS, ...Object.fromEntries(flags) } : undefined);
    return patched(texts, diff === '' || namesFile ? diff : `--- ${file}\n${diff}`);
  };
  return { name, rule, weight, repo, location, edit };
}

/** Texts with the changes of a diff: see {@link testTraps}. */
export const patched = (texts: Texts, diff: string): Texts =>
  diff.trim().split(/^--- /m).slice(1).reduce(patchFile, texts);

function patchFile(texts: Texts, patch: string): Texts {
  const [file = '', ...lines] = patch.replace(/\n$/, '').split('\n');
  const linesWith = (mark: string) =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
  const removed = linesWith('-');
  const added = linesWith('+');
  if (removed.length) return replaceIn(texts, file, removed.join('\n'), added.join('\n'));
  if (added.length) return { ...texts, [file]: `${added.join('\n')}\n` };
  return Object.fromEntries(Object.entries(texts).filter(([path]) => path !== file));
}

const lineOf = (texts: Texts, { file, line }: Finding): string =>
  line === null ? '' : (texts[file]?.split('\n')[line - 1]?.trim() ?? '');
