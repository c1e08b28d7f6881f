import dockerignore from '@balena/dockerignore';
import type { Project } from '../facts/detect.ts';
import { below, exists } from '../tree.ts';
import { inputFiles } from './copies.ts';

/** Lines that keep a local asset build out of the image, which makes its own. */
export function builtAssets(project: Project): string[] {
  const anywhere = project.umbrella ? '**' : '';
  return keepsAssets(project)
    ? []
    : [`${anywhere}/priv/static/assets`, `${anywhere}/priv/static/cache_manifest.json`];
}

/** Whether priv/static/assets is source, as in an app without a build (`mix phx.new --no-assets`): then git doesn't ignore it. */
function keepsAssets(project: Project): boolean {
  const ignored = /^(\*\*)?\/?(apps\/[\w*]+\/)?priv\/static(\/assets)?\/?\*?\s*$/m;
  const dirs = project.projects.map(({ dir }) => dir);
  const lists = dirs.map((dir) => project.tree.read(below(dir, '.gitignore')) ?? '');
  return (
    dirs.some((dir) => exists(project.tree, below(dir, 'priv/static/assets'))) &&
    !lists.some((list) => ignored.test(list))
  );
}

/** Each pattern becomes a regular expression, whose time grows with the stars in it. */
const LONGEST_PATTERN = 300;
const MOST_STARS = 10;
const MOST_PATTERNS = 500;

/** Docker's own rules (the last match wins, patterns start at the top), which are not those of .gitignore. */
export function dockerMatcher(patterns: string): (path: string) => boolean {
  const usable = patterns
    .split(/\r?\n/)
    .filter((line) => line.length < LONGEST_PATTERN && line.split('*').length < MOST_STARS)
    .slice(-MOST_PATTERNS);
  const rules = dockerignore.default({ ignorecase: false }).add(usable);
  return (path) => rules.ignores(path);
}

/** What git needs to tell a version, and where the branch is that HEAD names. */
const GIT = {
  head: ['.git/HEAD', '.git/refs', '.git/packed-refs'],
  history: ['.git/HEAD', '.git/refs', '.git/packed-refs', '.git/objects', '.git/shallow'],
};

const COPIED_KEY = /^(apps\/[^/]+\/)?(assets|config|lib|priv|rel)\/.*\.(pem|key)$/;

/** Paths that the build reads, whatever lines keep out: an exception for each that one does. */
export function neededPaths(project: Project): string[] {
  const keys = [...project.tree.paths].filter(
    (path) => COPIED_KEY.test(path) && isPublic(project.tree.read(path) ?? ''),
  );
  const inputs = inputFiles(project).filter(
    (path) =>
      !/(^|\/)\.env/.test(path) &&
      (!/\.(pem|key)$/.test(path) || isPublic(project.tree.read(path) ?? '')) &&
      !(path.endsWith('.secret.exs') && holdsSecrets(project.tree.read(path) ?? '')),
  );
  const git = project.mixSteps.git ? GIT[project.mixSteps.git] : [];
  return [...git, ...project.mixSteps.copied, ...keys, ...inputs];
}

/** `secret_key_base: "…"` in the file itself; one that only reads the environment holds none. */
const holdsSecrets = (text: string): boolean =>
  /\b\w*(secret|password|token|key|salt|url)\w*:\s*"[^"#]/i.test(text.replace(/^\s*#.*$/gm, '')) ||
  /"[A-Za-z0-9+/=_-]{24,}"/.test(text);

/** A certificate or a public key; a private one stays out, wherever it is read. */
const isPublic = (text: string): boolean =>
  /-----BEGIN (CERTIFICATE|([A-Z]+ )*PUBLIC KEY)-----/.test(text) && !text.includes('PRIVATE KEY');
