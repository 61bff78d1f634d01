// DistroKV's own engine, through the public interface of its packages.

const KEYSPACE = { name: 'default', versions: 'latest' };

export const ours = {
  label: 'ours',
  async load() {
    const [{ openEngine }, { createNodeEnv }] = await Promise.all([
      import('../../../packages/lsm/dist/index.js'),
      import('../../../packages/env/dist/index.js'),
    ]);
    return async (directory, { durable, memoryBytes }) => {
      const engine = await openEngine({
        env: createNodeEnv(),
        directory,
        keyspaces: [KEYSPACE],
        wal: durable ? 'sync' : 'nosync',
        memoryLimitBytes: memoryBytes,
      });
      return new Store(engine);
    };
  },
};

class Store {
  #engine;
  #keyspace;
  getMany;

  constructor(engine) {
    this.#engine = engine;
    this.#keyspace = engine.keyspace(KEYSPACE.name);
    if (this.#keyspace.getMany !== undefined) this.getMany = (keys) => this.#keyspace.getMany(keys);
  }

  write(keys, values, count) {
    const batch = this.#engine.batch();
    for (let i = 0; i < count; i++) batch.put(this.#keyspace, keys[i], values[i]);
    return this.#engine.write(batch);
  }

  put(key, value) {
    const batch = this.#engine.batch();
    batch.put(this.#keyspace, key, value);
    return this.#engine.write(batch);
  }

  getSync(key) {
    return this.#keyspace.getSync(key);
  }

  get(key) {
    return this.#keyspace.get(key);
  }

  scan() {
    const iterator = this.#keyspace.iterator();
    return {
      read: (page, count) => fill(page, iterator, count),
      close: () => iterator.close(),
    };
  }

  seek(key, page, count) {
    const iterator = this.#keyspace.iterator({ gte: key });
    fill(page, iterator, count);
    iterator.close();
  }

  settleForReads() {
    return this.#engine.settle();
  }

  close() {
    return this.#engine.close();
  }
}

function fill(page, iterator, count) {
  for (let i = 0; i < count && iterator.next(); i++) page.copy(iterator.key, iterator.value);
}
