/** Rewrites src/fly/images.json from a dump of the official images library: `npx tsx scripts/images.ts FILE`. */
import { readFileSync, writeFileSync } from 'node:fs';

interface Dump {
  asOf: string;
  source: string;
  elixirTags: string[][];
  baseOsByOtp: Record<string, { alpine: string; slim: string }>;
}

const dump = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Dump;
const elixir: Record<string, number[]> = {};
for (const tags of dump.elixirTags) {
  for (const tag of tags) {
    const [, version, otp] = /^(\d+\.\d+\.\d+)-otp-(\d+)-alpine$/.exec(tag) ?? [];
    if (version && otp) elixir[version] = [...(elixir[version] ?? []), Number(otp)];
  }
}
for (const otps of Object.values(elixir)) otps.sort((left, right) => left - right);
const systems = Object.fromEntries(
  Object.entries(dump.baseOsByOtp).map(([otp, os]) => [
    otp,
    { alpine: os.alpine.replace('alpine:', ''), debian: os.slim.replace('debian:', '') },
  ]),
);
writeFileSync(
  new URL('../src/fly/images.json', import.meta.url),
  `${JSON.stringify({ asOf: dump.asOf, source: dump.source, elixir, systems }, null, 2)}\n`,
);
