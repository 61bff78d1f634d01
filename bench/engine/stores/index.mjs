// The engines that are compared, each behind the same interface:
//
//   open(directory, { durable, memoryBytes }) → store     durable: a write resolves when it is on the disk
//   store.write(keys, values, count) → Promise             one atomic batch of the first `count` records
//   store.put(key, value) → Promise
//   store.getSync(key) → bytes or undefined
//   store.get(key) → Promise of the same
//   store.getMany(keys) → Promise of an array; undefined where the store has no such call
//   store.scan() → { read(page, count) → Promise or undefined, close() }   from the first key on
//   store.seek(key, page, count) → Promise or undefined     `count` entries from `key` on
//   store.settleForReads() → Promise                        what its users would do once before they only read
//   store.close() → Promise
//
// Where a store answers at once its calls do too, so that no promise is charged to it.
import { classic, tuned } from './classic.mjs';
import { lmdb } from './lmdb.mjs';
import { ours } from './ours.mjs';

export const stores = { ours, classic, tuned, lmdb };
