import { sameEndings } from '../src/edit/endings.ts';
import type { Descriptor } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { elixirKey } from '../src/quote.ts';

export const release: Descriptor = {
  outputs: ({ project, answers }) => {
    if (!project.umbrella || project.release.names.length > 0) return [];
    const apps = project.projects.filter(({ dir }) => dir !== '.').flatMap(({ app }) => app ?? []);
    return [
      { path: 'mix.exs', merge: (before) => addRelease(before ?? '', answers.release, apps) },
    ];
  },
};

/** Adds a release of these apps in front of `apps_path:`. @throws Problem when that isn't there, or more than once */
function addRelease(text: string, name: string, apps: readonly string[]): string {
  const lines = [
    'releases: [',
    `  ${elixirKey(name)} [`,
    '    applications: [',
    apps.map((app) => `      ${elixirKey(app)} :permanent`).join(',\n'),
    '    ]',
    '  ]',
    '],',
  ].join('\n');
  const [before = '', after, ...others] = text.split(/^(?=[ \t]*\[?apps_path:)/m);
  if (after === undefined || others.length > 0)
    throw new Problem(
      `mix.exs names no release, and \`mix release\` of an umbrella needs one; add to project/0, then run again: ${lines.replaceAll(/\s+/g, ' ')}`,
    );
  const [lead = ''] = /^[ \t]*\[?/.exec(after) ?? [];
  const indent = lead.replace('[', ' ');
  const indented = `${lines}\n`.replaceAll('\n', `\n${indent}`);
  return before + lead + sameEndings(text, indented) + after.slice(lead.length);
}
