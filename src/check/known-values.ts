import { isVariableName } from '../quote.ts';
import type { Repo } from './repo.ts';
import { endpointOf } from './runtime-settings.ts';

/** Set by Fly, or by this project under these names. */
const PROVIDED = /^(PHX_HOST|PORT|FLY_.*|RELEASE_.*)$/;

/** Stand in for what a variable would hold. */
const HOST = 'own.example.net';
const PORT = 4323;

/** What a variable of the owner's that the start demands has to hold on Fly, where a setting of the endpoint says it. */
export interface KnownValue {
  name: string;
  value: string;
  why: string;
}

/** The owner's own variables for host, port and allowed origins: their values are no secrets, and known. */
export function knownValues(repo: Repo, host: string, port: number): KnownValue[] {
  const { value } = endpointOf(repo);
  const names = repo.project.env.required.filter(({ compileTime }) => !compileTime);
  return [...new Set(names.map(({ name }) => name))]
    .filter((name) => /HOST|PORT|URL|DOMAIN|ORIGIN/i.test(name) && isVariableName(name))
    .filter((name) => !PROVIDED.test(name))
    .flatMap((name) => {
      const becomes = (key: string, held: string) => value(key, { [name]: held });
      if (becomes('http.port', String(PORT)) === PORT)
        return { name, value: String(port), why: 'The port, as the app reads it' };
      if (becomes('url.host', HOST) === HOST)
        return { name, value: host, why: 'The host, as the app reads it' };
      const form = [`https://${HOST}`, HOST].find((held) =>
        [becomes('check_origin', held)]
          .flat()
          .some((origin) => [`//${HOST}`, `https://${HOST}`].includes(String(origin))),
      );
      return form
        ? {
            name,
            value: form.replace(HOST, host),
            why: 'Where LiveView sockets connect from, as the app reads it',
          }
        : [];
    });
}
