import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { shellWord } from '../quote.ts';

/** A secret that the image build needs; BuildKit mounts it for one command, and no layer keeps it. */
export interface BuildSecret {
  /** Its id, and the name of the shell variable in hints: GITHUB_TOKEN. */
  id: string;
  why: string;
}

/** How private dependencies are fetched: secrets, and what the shell runs before `mix deps.get`. */
export interface Access {
  secrets: BuildSecret[];
  commands: string[];
}

const read = (id: string): string => `"$(cat /run/secrets/${id})"`;
const idOf = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');

/**
 * Private Hex organizations, Oban's own Hex repository and git over SSH (fly.io/docs/apps/build-secrets;
 * `mix hex.organization`, Hex 2.2; oban.pro's installation guide; 2026-11). Credentials are taken back in the same command, also
 * when it fails.
 * @throws Problem for a private Hex repository whose address is not known
 */
export function access(project: Project): Access {
  const secrets: BuildSecret[] = [];
  const before: string[] = [];
  const after: string[] = [];
  for (const name of project.deps.hexOrganizations) {
    if (!/^[\w-]+$/.test(name))
      throw new Problem(
        `mix.exs names the Hex organization ${JSON.stringify(name)}, and Hex has none of that name: letters, digits, - and _ only`,
      );
    const id = `HEX_${idOf(name)}_KEY`;
    secrets.push({ id, why: `a key from: mix hex.organization key ${name} generate` });
    before.push(`mix hex.organization auth ${shellWord(name)} --key ${read(id)}`);
    after.push(`hex.organization deauth ${shellWord(name)}`);
  }
  for (const name of project.deps.hexRepos) {
    if (name !== 'oban')
      throw new Problem(
        `mix.exs takes packages from the private Hex repository "${name}", whose address stands nowhere in the repo; only oban's is known. Nothing was written.`,
      );
    secrets.push(
      { id: 'OBAN_KEY_FINGERPRINT', why: 'from your account at oban.pro' },
      { id: 'OBAN_LICENSE_KEY', why: 'from your account at oban.pro' },
    );
    before.push(
      `mix hex.repo add oban https://getoban.pro/repo --fetch-public-key ${read('OBAN_KEY_FINGERPRINT')} --auth-key ${read('OBAN_LICENSE_KEY')}`,
    );
    after.push('hex.repo remove oban');
  }
  const hosts = new Set(
    project.deps.gitSources
      .filter(({ ssh }) => ssh)
      .flatMap(({ url }) => /^(?:ssh:\/\/)?(?:[^@/]+@)?([\w.-]+)[:/]/.exec(url)?.[1] ?? []),
  );
  const tokens = [...hosts].map((host) => ({
    host,
    id: host === 'github.com' ? 'GITHUB_TOKEN' : `${idOf(host)}_TOKEN`,
  }));
  tokens.forEach(({ host, id }, index) => {
    secrets.push({ id, why: `a token that may read the private repositories on ${host}` });
    // Through the environment, so that git writes it nowhere
    const url = `GIT_URL="url.https://x-access-token:$(cat /run/secrets/${id})@${host}/.insteadOf"`;
    const pairs = [`git@${host}:`, `ssh://git@${host}/`].map(
      (from, at) =>
        `GIT_CONFIG_KEY_${index * 2 + at}="$GIT_URL" GIT_CONFIG_VALUE_${index * 2 + at}=${from}`,
    );
    before.push(url, `export GIT_CONFIG_COUNT=${(index + 1) * 2} ${pairs.join(' ')}`);
  });
  const takenBack = after.length ? [`trap "mix do ${after.join(' + ')}" EXIT`] : [];
  return { secrets, commands: [...takenBack, ...before] };
}

/** Variables without which config.exs or prod.exs stop the build; the image takes them as secrets too. @throws Problem for a name that no shell can set */
export function buildVariables(project: Project): BuildSecret[] {
  const wanted = project.env.required.filter((one) => one.compileTime);
  const bad = wanted.find(({ name }) => !/^[A-Za-z_]\w*$/.test(name));
  if (bad)
    throw new Problem(
      `${bad.file}:${bad.line} reads the variable ${JSON.stringify(bad.name)} while the image is built, and no shell can set a variable of that name; rename it`,
    );
  return wanted
    .map(({ name, file, line }) => ({
      id: name,
      why: `read while the image is built, by ${file}:${line}`,
    }))
    .filter((one, index, all) => all.findIndex((other) => other.id === one.id) === index);
}

/** The lines in front of a RUN's own commands: mounts for secrets, then what makes use of them. */
export const secretLines = (
  variables: readonly BuildSecret[],
  { secrets, commands }: Access = { secrets: [], commands: [] },
): string[] => [
  ...[...variables, ...secrets].map(({ id }) => `--mount=type=secret,id=${id},required=true`),
  ...variables.map(({ id }) => `export ${id}=${read(id)} &&`),
  ...commands.map((command) => `${command} &&`),
];
