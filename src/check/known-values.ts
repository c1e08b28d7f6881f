import type { Value } from '../elixir/value.ts';
import { isVariableName } from '../quote.ts';
import type { Repo } from './repo.ts';
import { endpointOf } from './runtime-settings.ts';

/** Set by Fly, or by this project under these names. */
const PROVIDED = /^(PHX_HOST|PORT|FLY_.*|RELEASE_.*)$/;

/** What a variable holds in thought, to see which setting follows it. */
const HOST = 'own.example.net';
const PORT = 4323;

/** What a variable of the owner's has to hold on Fly, and why, as a comment in fly.toml says it. */
export interface KnownValue {
  name: string;
  value: string;
  why: string;
}

/** The owner's variables for host, port and allowed origins: their values are no secrets, and known. */
export function knownValues(repo: Repo, host: string, port: number): KnownValue[] {
  const { value } = endpointOf(repo);
  return namesOfAddresses(repo).flatMap((name): KnownValue[] => {
    const settingWith = (key: string, text: string) => value(key, { [name]: text });
    if (Number(settingWith('http.port', String(PORT))) === PORT)
      return [{ name, value: String(port), why: 'The port, as the app reads it' }];
    if (settingWith('url.host', HOST) === HOST)
      return [{ name, value: host, why: 'The host, as the app reads it' }];
    const form = [`https://${HOST}`, HOST].find((text) =>
      admitsHost(settingWith('check_origin', text)),
    );
    const why = 'Where LiveView sockets connect from, as the app reads it';
    return form ? [{ name, value: form.replace(HOST, host), why }] : [];
  });
}

/** Variables that the start demands and whose names speak of addresses. */
function namesOfAddresses({ project }: Repo): string[] {
  const demanded = project.env.required.filter(({ compileTime }) => !compileTime);
  const names = new Set(demanded.map(({ name }) => name));
  return [...names].filter(
    (name) =>
      /HOST|PORT|URL|DOMAIN|ORIGIN/i.test(name) && isVariableName(name) && !PROVIDED.test(name),
  );
}

const admitsHost = (origins: Value | undefined): boolean =>
  [origins].flat().some((origin) => origin === `//${HOST}` || origin === `https://${HOST}`);
