/** The items without repetitions. */
export const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];

/** The first item of each key. */
export function uniqueBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const firsts = new Map(items.toReversed().map((item) => [keyOf(item), item]));
  return items.filter((item) => firsts.get(keyOf(item)) === item);
}
