import { evaluation } from './budget.ts';
import { Atom, deepMerge, isKeyword, pairs, Tuple, type Value, weigh } from './value.ts';

/** The configuration of all apps, merged as Elixir's Config does. */
export class Settings {
  private readonly byApp = new Map<string, Map<string, Value>>();
  private lists: ReadonlyMap<string, Value> | undefined;

  constructor(start: ReadonlyMap<string, Value> = new Map()) {
    for (const [app, settings] of start) this.byApp.set(app, new Map(pairs(settings)));
  }

  has(app: string): boolean {
    return this.byApp.has(app);
  }

  get(app: string, key: string): Value | undefined {
    return this.byApp.get(app)?.get(key);
  }

  /** `config :app, key, value`; without a key the value is a keyword list, or can't be known. */
  set(app: string, key: string | null, value: Value): void {
    this.lists = undefined;
    const held = this.byApp.get(app) ?? new Map<string, Value>();
    this.byApp.set(app, held);
    const patch: [string, Value][] = key === null ? keywords(value) : [[key, value]];
    for (const [name, next] of patch) {
      const before = held.get(name);
      const affordable = evaluation.spend(weigh(before ?? null) + weigh(next));
      held.set(name, affordable ? deepMerge(before, next) : next);
    }
  }

  /** By app, as keyword lists. */
  get apps(): ReadonlyMap<string, Value> {
    this.lists ??= new Map(
      [...this.byApp].map(([app, held]) => [
        app,
        [...held].map(([key, value]) => new Tuple([new Atom(key), value])),
      ]),
    );
    return this.lists;
  }
}

const keywords = (value: Value): [string, Value][] => (isKeyword(value) ? pairs(value) : []);
