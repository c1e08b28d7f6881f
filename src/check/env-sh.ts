import type { Read, Repo } from './repo.ts';
import { assignmentsIn, commandsIn } from './shell.ts';
import { type Findings, found, type Missing } from './verdict.ts';

const GUARD = 'if [ -n "${FLY_APP_NAME:-}" ]; then … fi';
/** Settings that make sense on Fly's private network alone. */
const ON_FLY = /^(RELEASE_NODE|RELEASE_DISTRIBUTION|ERL_AFLAGS|DNS_CLUSTER_QUERY)$/;

/** Node name and IPv6 on Fly, nothing elsewhere, and no command that ends the start. */
export function envSh({ project, machine }: Repo, { path, text }: Read<string>): Findings {
  const commands = commandsIn(text);
  const sets = commands.flatMap((command) =>
    assignmentsIn(command).map(([name, value]) => ({ ...command, name, value })),
  );
  const at = (line: number | undefined, what: string, edit: string): Missing => ({
    what,
    edit,
    file: path,
    line,
  });
  const missing: Missing[] = [];
  if (text.includes('\r\n'))
    missing.push(
      at(
        1,
        'lines end in CRLF, which the shell takes for a part of each command',
        'save it with LF endings',
      ),
    );
  // A long name needs a host name; whoever gives the node one for another platform knows what they do
  const namedElsewhere = sets.some(
    ({ name, value, guards }) => name === 'RELEASE_NODE' && !/FLY_/.test(value + guards.join()),
  );
  const everywhere = sets.filter(
    ({ name, value, guards }) =>
      ON_FLY.test(name) &&
      (/FLY_|inet6_tcp/.test(value) ||
        (name === 'RELEASE_DISTRIBUTION' && value === 'name' && !namedElsewhere)) &&
      !guards.some((guard) => /FLY_/.test(guard)),
  );
  if (everywhere.length)
    missing.push(
      at(
        everywhere[0]?.line,
        `${everywhere.map(({ name }) => name).join(', ')}: set everywhere, so off Fly (docker run, CI) the release does not start as it is`,
        [
          `move ${everywhere.length > 1 ? 'these' : 'this'} inside \`${GUARD}\`${text.includes('>>> phoenix-fly') ? ', or delete them: the marked block sets them too' : ''}:`,
          ...everywhere.map(
            ({ line }) => `line ${line}: ${(text.split(/\r?\n/)[line - 1] ?? '').trim()}`,
          ),
        ].join('\n'),
      ),
    );
  const node = sets.filter(({ name }) => name === 'RELEASE_NODE');
  if (node.length === 0)
    missing.push(
      at(
        undefined,
        'no RELEASE_NODE, so machines have no name by which others and `remote` reach them',
        `inside ${GUARD}, add: export RELEASE_NODE="\${FLY_APP_NAME}-\${image_id}@\${FLY_PRIVATE_IP}"; \`npx plop env-sh\` writes it with image_id`,
      ),
    );
  for (const one of node) {
    const parts = sets.filter(
      ({ name, line }) =>
        line <= one.line && (one.value.includes(`$${name}`) || one.value.includes(`\${${name}`)),
    );
    const raw = [one, ...parts].find(
      ({ value, line }) =>
        /FLY_IMAGE_REF/.test(value) && !/tr -cd|cut -c/.test(text.split(/\r?\n/)[line - 1] ?? ''),
    );
    if (raw && !missing.some((other) => other.line === raw.line && /invalid/.test(other.what)))
      missing.push(
        at(
          raw.line,
          'an image reference with a digest or a label of your own makes an invalid node name',
          "clean it first: image_id=$(printf '%s' \"${FLY_IMAGE_REF:-}\" | sed -e 's/@.*$//' -e 's/^.*[:-]//' | tr -cd 'A-Za-z0-9'), and use ${image_id}",
        ),
      );
  }
  if (
    !sets.some(({ name, value }) => name === 'ERL_AFLAGS' && /inet6_tcp/.test(value)) &&
    !/inet6_tcp/.test(machine.ERL_AFLAGS ?? '')
  )
    missing.push(
      at(
        undefined,
        "nodes speak IPv4 to each other, and Fly's private network has IPv6 only",
        `inside ${GUARD}, add: export ERL_AFLAGS="-proto_dist inet6_tcp \${ERL_AFLAGS:-}"`,
      ),
    );
  if (project.clustering && !machine.DNS_CLUSTER_QUERY && project.deps.prod.includes('dns_cluster'))
    missing.push(
      at(
        undefined,
        'dns_cluster looks for other machines under no name',
        `inside ${GUARD}, add: export DNS_CLUSTER_QUERY="\${FLY_APP_NAME}.internal"`,
      ),
    );
  const end = commands.at(-1);
  if (
    end?.guards.some((guard) => /^\[|^test\b/.test(guard)) &&
    text.trimEnd().split(/\r?\n/).at(-1)?.includes('&&')
  )
    missing.push(
      at(
        end.line,
        'when its test fails, this last line ends the start (the script runs under set -e)',
        'write it with if … then … fi',
      ),
    );
  return found(missing);
}
