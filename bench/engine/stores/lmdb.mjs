// LMDB by way of `lmdb`: a memory-mapped B+tree. It has no cache of its own, so the memory limit does not bind it: its pages are
// the operating system's, as many as there is room for.

export const lmdb = {
  label: 'lmdb',
  async load() {
    const { open } = await import('lmdb');
    return async (directory, { durable }) => {
      const db = open({
        path: directory,
        keyEncoding: 'binary',
        encoding: 'binary',
        // With it, a write would resolve before its sync does.
        overlappingSync: false,
        noSync: !durable,
        noMemInit: true,
      });
      return new Store(db);
    };
  },
};

class Store {
  #db;

  constructor(db) {
    this.#db = db;
  }

  write(keys, values, count) {
    return this.#db.batch(() => {
      for (let i = 0; i < count; i++) void this.#db.put(keys[i], values[i]);
    });
  }

  put(key, value) {
    return this.#db.put(key, value);
  }

  getSync(key) {
    return this.#db.getBinary(key);
  }

  /** LMDB answers at once; its `get` is synchronous. */
  async get(key) {
    return this.#db.getBinary(key);
  }

  getMany(keys) {
    return this.#db.getMany(keys);
  }

  scan() {
    const entries = this.#db.getRange()[Symbol.iterator]();
    return {
      read: (page, count) => fill(page, entries, count),
      close: () => entries.return?.(),
    };
  }

  seek(key, page, count) {
    const entries = this.#db.getRange({ start: key, limit: count })[Symbol.iterator]();
    fill(page, entries, count);
    entries.return?.();
  }

  async settleForReads() {}

  close() {
    return this.#db.close();
  }
}

function fill(page, entries, count) {
  for (let i = 0; i < count; i++) {
    const { done, value } = entries.next();
    if (done) return;
    page.keep(value.key, value.value);
  }
}
