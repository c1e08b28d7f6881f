import type { Project } from '../facts/detect.ts';
import { type FlyConfig, flyConfig } from '../fly/fly-config.ts';
import { Problem } from '../problem.ts';
import { treeOf } from '../tree.ts';

export interface FlyFile extends FlyConfig {
  /** Why it can't be read; then all of it is empty. */
  problem: string | undefined;
  text: string;
}

export function readFlyFile({ tree }: Project): FlyFile | undefined {
  if (tree.read('fly.toml') === undefined) return undefined;
  try {
    const fly = flyConfig(tree);
    return { ...fly, text: fly.source.text, problem: undefined };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { ...flyConfig(treeOf({})), text: '', problem: error.message };
  }
}
