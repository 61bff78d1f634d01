// LevelDB by way of `classic-level`: as it comes but for the memory that all stores get, and tuned for this load.

const ENCODING = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
const DEFAULT_WRITE_BUFFER_BYTES = 4 << 20;

/** LevelDB holds up to two write buffers, the one that fills and the one that is written out. */
function withCache(memoryBytes, writeBufferSize) {
  return { writeBufferSize, cacheSize: memoryBytes - 2 * writeBufferSize };
}

export const classic = {
  label: 'classic-level',
  load: () => loader((memoryBytes) => withCache(memoryBytes, DEFAULT_WRITE_BUFFER_BYTES), false),
};

export const tuned = {
  label: 'classic tuned',
  load: () => loader((memoryBytes) => ({ ...withCache(memoryBytes, memoryBytes / 8), compression: false }), true),
};

async function loader(options, compactsForReads) {
  const { ClassicLevel } = await import('classic-level');
  return async (directory, { durable, memoryBytes }) => {
    const db = new ClassicLevel(directory, { ...ENCODING, ...options(memoryBytes) });
    await db.open();
    return new Store(db, durable, compactsForReads);
  };
}

class Store {
  #db;
  #write;
  #compactsForReads;

  constructor(db, durable, compactsForReads) {
    this.#db = db;
    this.#write = { sync: durable };
    this.#compactsForReads = compactsForReads;
  }

  write(keys, values, count) {
    const operations = [];
    for (let i = 0; i < count; i++) operations.push({ type: 'put', key: keys[i], value: values[i] });
    return this.#db.batch(operations, this.#write);
  }

  put(key, value) {
    return this.#db.put(key, value, this.#write);
  }

  getSync(key) {
    return this.#db.getSync(key);
  }

  get(key) {
    return this.#db.get(key);
  }

  getMany(keys) {
    return this.#db.getMany(keys);
  }

  scan() {
    const iterator = this.#db.iterator();
    return {
      read: (page, count) => fill(page, iterator, count),
      close: () => iterator.close(),
    };
  }

  async seek(key, page, count) {
    const iterator = this.#db.iterator({ gte: key, limit: count });
    await fill(page, iterator, count);
    await iterator.close();
  }

  async settleForReads() {
    if (this.#compactsForReads) await this.#db.compactRange(Buffer.from('0'), Buffer.from(':'), ENCODING);
  }

  close() {
    return this.#db.close();
  }
}

async function fill(page, iterator, count) {
  for (const [key, value] of await iterator.nextv(count)) page.keep(key, value);
}
