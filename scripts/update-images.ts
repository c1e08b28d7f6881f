/** Rewrites src/fly/images.json from a dump of the official images library. Usage: npx tsx scripts/update-images.ts FILE */
import { readFileSync, writeFileSync } from 'node:fs';

interface Dump {
  asOf: string;
  source: string;
  elixirTags: string[][];
  baseOsByOtp: Record<string, { alpine: string; slim: string }>;
}

const { asOf, source, elixirTags, baseOsByOtp } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as Dump;

const elixir: Record<string, number[]> = {};
for (const tag of elixirTags.flat()) {
  const [, version, otp] = /^(\d+\.\d+\.\d+)-otp-(\d+)-alpine$/.exec(tag) ?? [];
  if (version && otp) elixir[version] = [...(elixir[version] ?? []), Number(otp)];
}
for (const otps of Object.values(elixir)) otps.sort((left, right) => left - right);

const systems: Record<string, { alpine: string; debian: string }> = {};
for (const [otp, { alpine, slim }] of Object.entries(baseOsByOtp))
  systems[otp] = { alpine: alpine.replace('alpine:', ''), debian: slim.replace('debian:', '') };

writeFileSync(
  new URL('../src/fly/images.json', import.meta.url),
  `${JSON.stringify({ asOf, source, elixir, systems }, null, 2)}\n`,
);
