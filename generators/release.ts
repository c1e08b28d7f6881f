import { sameEndings } from '../src/edit/endings.ts';
import type { Descriptor } from '../src/plan/file.ts';
import { Problem } from '../src/problem.ts';
import { elixirKey } from '../src/quote.ts';

export const release: Descriptor = {
  outputs: ({ project, answers }) => {
    const apps = project.projects.filter((one) => one.dir !== '.').flatMap((one) => one.app ?? []);
    if (
      !project.umbrella ||
      (project.release.names.length > 0 && project.tree.read('mix.exs')?.includes('releases:'))
    )
      return [];
    return [
      { path: 'mix.exs', merge: (before) => addRelease(before ?? '', answers.release, apps) },
    ];
  },
};

/** In front of `apps_path:`, with each app of the umbrella in it. @throws Problem when there is no one such place */
function addRelease(text: string, name: string, apps: readonly string[]): string {
  const places = [...text.matchAll(/^([ \t]*)(\[?)apps_path:/gm)];
  const [place] = places;
  const lines = [
    'releases: [',
    `  ${elixirKey(name)} [`,
    '    applications: [',
    ...apps.map(
      (app, index) => `      ${elixirKey(app)} :permanent${index < apps.length - 1 ? ',' : ''}`,
    ),
    '    ]',
    '  ]',
    '],',
  ];
  if (places.length !== 1 || place?.index === undefined) {
    throw new Problem(
      `mix.exs names no release, and \`mix release\` of an umbrella needs one; add to project/0, then run again: ${lines.map((line) => line.trim()).join(' ')}`,
    );
  }
  const [all, space = '', bracket = ''] = place;
  const indent = space + (bracket && ' ');
  const added = lines
    .map((line) => `${indent}${line}\n`)
    .join('')
    .slice(indent.length);
  const at = place.index + all.indexOf('apps_path:');
  return text.slice(0, at) + sameEndings(text, added + indent) + text.slice(at);
}
