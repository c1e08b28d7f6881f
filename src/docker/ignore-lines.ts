import dockerignore from '@balena/dockerignore';
import type { Project } from '../facts/detect.ts';
import { below, exists } from '../tree.ts';
import { inputFiles } from './copies.ts';

/** Lines that keep a local asset build out of the image, which makes its own. */
export function builtAssets(project: Project): string[] {
  if (areAssetsSource(project)) return [];
  const folder = project.umbrella ? '**/priv/static' : '/priv/static';
  return [`${folder}/assets`, `${folder}/cache_manifest.json`];
}

/** `/priv/static/assets/`, `apps/web/priv/static`, `**\/priv/static/*` in a .gitignore */
const IGNORED_ASSETS = /^(\*\*)?\/?(apps\/[\w*]+\/)?priv\/static(\/assets)?\/?\*?\s*$/m;

/** Whether priv/static/assets is source, as in an app without a build (`mix phx.new --no-assets`): then git doesn't ignore it. */
function areAssetsSource({ projects, tree }: Project): boolean {
  const dirs = projects.map(({ dir }) => dir);
  const gitignores = dirs.map((dir) => tree.read(below(dir, '.gitignore')) ?? '');
  const isIgnored = gitignores.some((text) => IGNORED_ASSETS.test(text));
  return !isIgnored && dirs.some((dir) => exists(tree, below(dir, 'priv/static/assets')));
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
  const { mixSteps, tree } = project;
  // Other files, which may be large, are not read
  const textOf = (path: string) => tree.read(path) ?? '';
  const mayBeCopied = (path: string) => {
    if (/\.(pem|key)$/.test(path)) return isPublic(textOf(path));
    const isSecret = path.endsWith('.secret.exs') && holdsSecrets(textOf(path));
    return !isSecret && !/(^|\/)\.env/.test(path);
  };
  const keys = [...tree.paths].filter((path) => COPIED_KEY.test(path));
  const files = [...keys, ...inputFiles(project)].filter(mayBeCopied);
  return [...(mixSteps.git ? GIT[mixSteps.git] : []), ...mixSteps.copied, ...files];
}

/** `secret_key_base: "…"` in the file itself; one that only reads the environment holds none. */
const holdsSecrets = (text: string): boolean =>
  /\b\w*(secret|password|token|key|salt|url)\w*:\s*"[^"#]/i.test(text.replace(/^\s*#.*$/gm, '')) ||
  /"[A-Za-z0-9+/=_-]{24,}"/.test(text);

/** A certificate or a public key; a private one stays out, wherever it is read. */
const isPublic = (text: string): boolean =>
  /-----BEGIN (CERTIFICATE|([A-Z]+ )*PUBLIC KEY)-----/.test(text) && !text.includes('PRIVATE KEY');
