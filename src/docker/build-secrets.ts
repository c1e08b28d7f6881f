import type { Project } from '../facts/detect.ts';
import { Problem } from '../problem.ts';
import { variableName } from '../quote.ts';

/** A secret that the image build needs; BuildKit mounts it for one command, and no layer keeps it. */
interface BuildSecret {
  /** Its id, and the name of the shell variable in hints: GITHUB_TOKEN. */
  id: string;
  why: string;
}

interface PrivateAccess {
  secrets: BuildSecret[];
  /** What the shell runs before `mix deps.get`. */
  commands: string[];
}

const fileOf = (id: string): string => `"$(cat /run/secrets/${id})"`;
const idOf = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');

/**
 * How private dependencies are fetched: from Hex organizations, Oban's own Hex repository and git over SSH
 * (fly.io/docs/apps/build-secrets; `mix hex.organization`, Hex 2.2; oban.pro's installation guide; 2026-11). Credentials are
 * removed in the same command, also when it fails.
 * @throws Problem for a private Hex repository whose address is not known
 */
export function privateAccess({ deps }: Project): PrivateAccess {
  const secrets: BuildSecret[] = [];
  const commands: string[] = [];
  const cleanup: string[] = [];
  for (const name of deps.hexOrganizations) {
    if (!/^[\w-]+$/.test(name))
      throw new Problem(
        `mix.exs names the Hex organization ${JSON.stringify(name)}, and Hex has none of that name: letters, digits, - and _ only`,
      );
    const id = `HEX_${idOf(name)}_KEY`;
    secrets.push({ id, why: `a key from: mix hex.organization key ${name} generate` });
    commands.push(`mix hex.organization auth ${name} --key ${fileOf(id)}`);
    cleanup.push(`hex.organization deauth ${name}`);
  }
  const unknown = deps.hexRepos.find((name) => name !== 'oban');
  if (unknown !== undefined)
    throw new Problem(
      `mix.exs takes packages from the private Hex repository "${unknown}", whose address stands nowhere in the repo; only oban's is known. Nothing was written.`,
    );
  if (deps.hexRepos.length) {
    const [fingerprint, key] = ['OBAN_KEY_FINGERPRINT', 'OBAN_LICENSE_KEY'] as const;
    for (const id of [fingerprint, key]) secrets.push({ id, why: 'from your account at oban.pro' });
    commands.push(
      `mix hex.repo add oban https://getoban.pro/repo --fetch-public-key ${fileOf(fingerprint)} --auth-key ${fileOf(key)}`,
    );
    cleanup.push('hex.repo remove oban');
  }
  for (const [index, host] of sshHosts(deps).entries()) {
    const id = host === 'github.com' ? 'GITHUB_TOKEN' : `${idOf(host)}_TOKEN`;
    secrets.push({ id, why: `a token that may read the private repositories on ${host}` });
    // Through the environment, so that git writes it nowhere
    const first = index * 2;
    commands.push(
      `GIT_URL="url.https://x-access-token:$(cat /run/secrets/${id})@${host}/.insteadOf"`,
      `export GIT_CONFIG_COUNT=${first + 2} GIT_CONFIG_KEY_${first}="$GIT_URL" GIT_CONFIG_VALUE_${first}=git@${host}: GIT_CONFIG_KEY_${first + 1}="$GIT_URL" GIT_CONFIG_VALUE_${first + 1}=ssh://git@${host}/`,
    );
  }
  if (cleanup.length) commands.unshift(`trap "mix do ${cleanup.join(' + ')}" EXIT`);
  return { secrets, commands };
}

/** Hosts of git dependencies over SSH: `git@github.com:shop/core`, `ssh://git@host/core`. */
function sshHosts({ gitSources }: Project['deps']): string[] {
  const urls = gitSources.filter(({ ssh }) => ssh).map(({ url }) => url);
  const hosts = urls.flatMap(
    (url) => /^(?:ssh:\/\/)?(?:[^@/]+@)?([\w.-]+)[:/]/.exec(url)?.[1] ?? [],
  );
  return [...new Set(hosts)];
}

/** Variables without which config.exs or prod.exs stop the build; the image takes them as secrets too. @throws Problem for a name that no shell can set */
export const buildVariables = ({ env }: Project): BuildSecret[] =>
  env.required
    .filter(({ compileTime }) => compileTime)
    .map(({ name, file, line }) => ({
      id: variableName(name),
      why: `read while the image is built, by ${file}:${line}`,
    }));

/** The lines in front of a RUN's own commands: mounts for secrets, then what makes use of them. */
export const secretLines = (
  variables: readonly BuildSecret[],
  { secrets, commands }: PrivateAccess = { secrets: [], commands: [] },
): string[] => [
  ...[...variables, ...secrets].map(({ id }) => `--mount=type=secret,id=${id},required=true`),
  ...variables.map(({ id }) => `export ${id}=${fileOf(id)} &&`),
  ...commands.map((command) => `${command} &&`),
];
