import { installedPackages } from './dockerfile-model.ts';
import type { Repo } from './repo.ts';
import { runsOnFly, type Script } from './script.ts';

/** Commands that an image may lack: on which system, and the packages that bring them. */
const COMMANDS: [system: RegExp, command: string, packages: RegExp][] = [
  [/./, 'curl', /^curl$/],
  [/./, 'jq', /^jq$/],
  [/./, 'dig', /^(bind-tools|dnsutils|bind9-dnsutils)$/],
  [/^Alpine/, 'grep +-\\w*P', /^grep$/],
  [/^Alpine/, 'hostname +-I', /^hostname$/],
  [/^Debian/, 'ip', /^iproute2$/],
  [/^Debian/, 'wget', /^wget$/],
];

/** Official images on buildpack-deps, which has curl and wget. */
const HAS_DOWNLOADERS = /^(docker\.io\/)?(library\/)?(elixir|erlang):(?!.*(slim|alpine))/;

/** Lines that run on Fly, with a command that is not in the image. */
export function absentCommands({ lines }: Script, { dockerfile }: Repo) {
  if (!dockerfile) return [];
  const { baseImage, steps } = dockerfile.content.final;
  const installed = installedPackages(steps);
  const absent = COMMANDS.filter(
    ([system, command, packages]) =>
      system.test(baseImage.system?.label ?? '') &&
      !(/^(curl|wget)$/.test(command) && HAS_DOWNLOADERS.test(baseImage.image)) &&
      !installed.some((name) => packages.test(name)),
  ).map(([, command]) => command);
  const call = new RegExp(`(?:^|\\$\\(|[\`|;&]) *(${absent.join('|')})(?= )`);
  return lines.flatMap(({ text, guard, line }) => {
    const command = absent.length > 0 && call.exec(text)?.[1];
    return command && runsOnFly(guard) && !text.includes('||') ? { line, command } : [];
  });
}
