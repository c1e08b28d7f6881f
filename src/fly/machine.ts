import { Problem } from '../problem.ts';
import type { Table } from './fly-config.ts';

/** Megabytes that a first deploy gives a machine without [[vm]] (fly.io/docs/reference/configuration, 2026-08). */
export const UNSET_MEMORY = 256;

/** The size that a [[vm]] names, or makes up of its CPUs. */
export function sizeOf(machine: Table): string {
  if (typeof machine.size === 'string' && machine.size) return machine.size;
  const kind = machine.cpu_kind === 'performance' ? 'performance' : 'shared-cpu';
  return `${kind}-${Number(machine.cpus ?? 1)}x`;
}

/** The megabytes that a size may have; undefined: not a size with CPUs only (fly.io/docs/machines/guides-examples/machine-sizing, 2026-08). */
export function memoryRange(size: string): { least: number; most: number } | undefined {
  const [, shared] = /^shared-cpu-(1|2|4|6|8)x$/.exec(size) ?? [];
  if (shared) return { least: 256 * Number(shared), most: 2048 * Number(shared) };
  const [, dedicated] = /^performance-(1|2|4|6|8|10|12|14|16)x$/.exec(size) ?? [];
  if (dedicated) return { least: 2048 * Number(dedicated), most: 8192 * Number(dedicated) };
  return undefined;
}

export const isGpu = (size: string): boolean => /^(a10|a100-40gb|a100-80gb|l40s)$/.test(size);

/** Megabytes of a [[vm]], such as 512, "512mb" or "1gb", else those of its size; undefined where neither can be told. */
export function memoryOf(machine: Table): number | undefined {
  const written = machine.memory ?? machine.memory_mb;
  if (written === undefined) return memoryRange(sizeOf(machine))?.least;
  const [, amount, unit = ''] = /^(\d+)\s*(gb?|mb?)?$/i.exec(String(written).trim()) ?? [];
  return amount === undefined ? undefined : Number(amount) * (/^g/i.test(unit) ? 1024 : 1);
}

/** @throws Problem when a machine that isn't there yet, or this one, can't have so much memory */
export function refuseMemory(machine: Table | undefined, megabytes: number): void {
  const size = machine ? sizeOf(machine) : 'shared-cpu-1x';
  const range = memoryRange(size);
  if (!range || (machine && memoryOf(machine) === megabytes)) return;
  if (megabytes >= range.least && megabytes <= range.most) return;
  throw new Problem(
    `--memory: a ${size} machine has ${range.least} to ${range.most} MB; name another size under [[vm]] in fly.toml, then run again`,
  );
}
