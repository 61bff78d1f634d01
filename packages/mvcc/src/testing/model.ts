// What the store should answer, written the plainest way: the whole history as a list of maps. It shares no code with the store.
export interface ModelKey {
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
}

export class Model {
  /** `#history[r]` is the whole store as of revision r + 1. */
  readonly #history: ReadonlyMap<string, ModelKey>[] = [new Map()];

  get revision(): number {
    return this.#history.length;
  }

  at(revision: number): ReadonlyMap<string, ModelKey> {
    return this.#history[revision - 1] as ReadonlyMap<string, ModelKey>;
  }

  /** Makes all of `changes` (a value, or undefined to delete) in one revision; those that change nothing make none. */
  change(changes: ReadonlyMap<string, string | undefined>): void {
    const now = new Map(this.at(this.revision));
    const mod = this.revision + 1;
    let changed = false;
    for (const [key, value] of changes) {
      const before = now.get(key);
      if (value === undefined) changed = now.delete(key) || changed;
      else {
        now.set(key, { value, create: before?.create ?? mod, mod, version: (before?.version ?? 0) + 1 });
        changed = true;
      }
    }
    if (changed) this.#history.push(now);
  }

  /** As `show` prints them, in key order. */
  list(revision: number, from: string, to: string): string[] {
    return [...this.at(revision)]
      .filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, k]) => `${key}=${k.value}@${k.create}/${k.mod}/${k.version}`);
  }
}
