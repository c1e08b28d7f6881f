import { randomBytes } from 'node:crypto';
import { Problem } from '../problem.ts';
import { type Engine, lastLine, type Made, words } from './engine.ts';

/** A network of the proof's own, IPv6 as on Fly where the engine can. */
export interface Network {
  /** Options of `run` that give a container its address. `index`: 2 or more, another one for each container. */
  options(index: number): string[];
  /** The IPv6 address at which others reach it; undefined where there is none. */
  address(index: number): string | undefined;
}

/**
 * A /64 of its own (RFC 4193) keeps two proofs apart; Docker before 27 wants the subnet named.
 * @throws Problem when the engine can make no network at all
 */
export async function makeNetwork(engine: Engine, made: Made): Promise<Network> {
  const name = made.name('net');
  const prefix = `fd00:${randomBytes(4).toString('hex').replace(/^.{4}/, '$&:')}:1`;
  const create = (options: string[]) =>
    engine.run(words`network create --label ${made.label} ${options} ${name}`);
  const ipv6 = (await create(['--ipv6', '--subnet', `${prefix}::/64`])).code === 0;
  const plain = ipv6 ? undefined : await create([]);
  if (plain?.code) throw new Problem(`${engine.name} makes no network: ${lastLine(plain)}`);
  const address = (index: number) => (ipv6 ? `${prefix}::${index}` : undefined);
  return {
    address,
    options: (index) => words`--network ${name} ${ipv6 ? ['--ip6', `${prefix}::${index}`] : []}`,
  };
}
