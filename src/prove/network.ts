import { randomBytes } from 'node:crypto';
import { Problem } from '../problem.ts';
import { type Engine, type Made, words } from './engine.ts';

/** A network of the proof's own, IPv6 as on Fly where the engine can. */
export interface Network {
  ipv6: boolean;
  /** Options of `run` that give a container its address. `index`: 2 or more, another one for each container. */
  options(index: number): string[];
  /** The address at which others reach it; undefined where the engine chooses. */
  address(index: number): string | undefined;
}

/**
 * A /64 of its own (RFC 4193) keeps two proofs apart; Docker before 27 wants the subnet named.
 * @throws Problem when the engine can make no network at all
 */
export async function makeNetwork(engine: Engine, made: Made): Promise<Network> {
  const name = made.name('net');
  const group = () => randomBytes(2).toString('hex');
  const prefix = `fd00:${group()}:${group()}:1`;
  const create = (options: string[]) =>
    engine.run(words`network create --label ${made.label} ${options} ${name}`);
  const ipv6 = (await create(['--ipv6', '--subnet', `${prefix}::/64`])).code === 0;
  const plain = ipv6 ? undefined : await create([]);
  if (plain && plain.code !== 0)
    throw new Problem(`${engine.name} makes no network: ${plain.all.trim().split('\n').at(-1)}`);
  const address = (index: number) => (ipv6 ? `${prefix}::${index}` : undefined);
  return {
    ipv6,
    address,
    options: (index) => ['--network', name, ...(ipv6 ? ['--ip6', address(index) ?? ''] : [])],
  };
}
