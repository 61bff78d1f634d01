// Bugs to plant in what clients of the whole API see: transactions, the past, leases, watches.
import type { Mutation, PlantedBug } from './planted-bugs.ts';

/** Only the leader moves the lease clock on, for the sake of traffic: it is right however many do, and harmless however wrong if hardly ever two do. */
const EVERYBODY_TICKS: Mutation = {
  file: 'server/dist/services/lease-clock.js',
  find: 'const leads = replica.leader === replica.id;',
  replace: 'const leads = replica.leader !== undefined;',
};

export const plantedApiBugs: readonly PlantedBug[] = [
  // --- Transactions and ranges ---
  {
    name: 'a nested transaction looks at the compares of its parent',
    file: 'mvcc/dist/txn.js',
    find: 'choosePath(kv, at, op.value, patient)',
    replace: 'choosePath(kv, at, { ...op.value, compare: request.compare }, patient)',
  },
  {
    name: 'a range cuts before it sorts',
    file: 'mvcc/dist/range.js',
    find: 'const fetchAll = filtered || request.sortOrder !== pb.SortOrder.NONE;',
    replace: 'const fetchAll = filtered;',
  },
  {
    name: 'a value that is to stay is lost with its lease',
    file: 'mvcc/dist/command-writes.js',
    find: 'if (!request.ignoreLease)',
    replace: 'if (true)',
  },
  {
    name: 'a transaction that would only read is answered from what is here',
    file: 'server/dist/services/kv.js',
    find: '(guess !== false && (await guess))) {\n            await replica.linearize();',
    replace: '(guess !== false && (await guess))) {',
  },
  {
    name: 'a transaction reads what is compacted',
    file: 'mvcc/dist/store.js',
    find: "this.reads.checkRevision(op.value.revision);\n            if (op.case !== 'requestPut')",
    replace:
      "op.value.revision > this.#state.compactRevision && this.reads.checkRevision(op.value.revision);\n            if (op.case !== 'requestPut')",
  },
  // --- Compaction ---
  {
    name: 'reads of what is compacted are answered',
    file: 'mvcc/dist/reads.js',
    find: 'if (requested > 0 && requested < this.#state.compactRevision)',
    replace: 'if (false)',
  },
  {
    name: 'a merge drops the newest version that is not above the watermark',
    file: 'lsm/dist/retention.js',
    find: 'return !entry.tombstone || this.#below.mayHold(keyBytes, keyStart, keyEnd);',
    replace: 'return watermark > 1e9 || watermark < 0 ? !entry.tombstone || this.#below.mayHold(keyBytes, keyStart, keyEnd) : false;',
  },
  {
    name: 'a compaction hides a delete at its own revision from watchers',
    file: 'mvcc/dist/store.js',
    find: 'this.#history.forget(this.#forgottenTo, compactRevision);',
    replace: 'this.#history.forget(this.#forgottenTo, compactRevision + 1);',
  },
  // --- Leases ---
  {
    name: 'the keys of a lease that ends go in several revisions',
    file: 'mvcc/dist/store.js',
    find: 'yield* this.#asOneRevision(this.#writes.deleteLeased(id));',
    replace:
      'for (const key of yield* this.leases.keysOf(id)) yield* this.#asOneRevision(this.#writes.deleteRange(pb.DeleteRangeRequest.create({ key })));',
  },
  {
    name: 'a new leader gives each lease its TTL anew',
    file: 'server/dist/services/lease-clock.js',
    find: 'this.#leads = leads;',
    replace:
      'if (leads && !this.#leads) {\n            const listing = store.leases.list();\n            let step = listing.next();\n            while (!step.done) step = listing.next();\n            for (const id of step.value) store.leases.renew(id, store.state.leaseClockMs);\n        }\n        this.#leads = leads;',
  },
  {
    name: 'every tick counts as a whole second',
    file: 'server/dist/services/lease-clock.js',
    find: 'const toMs = fromMs + Math.min(this.#elapsedMs, MAX_TICK_MS);',
    replace: 'const toMs = fromMs + MAX_TICK_MS;',
  },
  {
    name: 'ticks of leaders that overlap all count',
    file: 'mvcc/dist/store.js',
    find: 'const isLate = fromMs !== this.#state.leaseClockMs || toMs < fromMs;',
    replace: 'const isLate = toMs < fromMs;',
    also: [
      {
        file: 'mvcc/dist/store.js',
        find: 'const leaseClockMs = Math.min(toMs, fromMs + MAX_TICK_MS);',
        replace: 'const leaseClockMs = this.#state.leaseClockMs + Math.min(toMs - fromMs, MAX_TICK_MS);',
      },
      EVERYBODY_TICKS,
    ],
  },
  {
    name: 'a lease that was renewed ends when it would have ended before',
    file: 'mvcc/dist/leases.js',
    find: 'lease.endsMs = clockMs + MAX_TICK_MS + lease.ttl * 1000;',
    replace: '',
  },
  {
    name: 'a key that moves to another lease still goes with the first',
    file: 'mvcc/dist/command-writes.js',
    find: 'this.#leases.detach(from, key);',
    replace: ';',
  },
  // --- Watches ---
  {
    name: 'events that found no room are forgotten',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: 'watcher.next = firstRevision;',
    replace: 'watcher.next = this.#revision + 1;',
  },
  {
    name: 'a watch that goes on is given its last revision again',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: 'const watcher = new Watcher(options, this.#groups.join(options), sink, tag, next);',
    replace: 'const watcher = new Watcher(options, this.#groups.join(options), sink, tag, options.startRevision > 1 ? next - 1 : next);',
  },
  {
    name: 'a watch is given what its filters leave out',
    file: 'mvcc/dist/watch/watch-group.js',
    find: 'return event.type === 1 ? !this.#noDelete : !this.#noPut;',
    replace: 'return true;',
  },
  {
    name: 'changes of an entry are given in the other order',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: 'const batch = new EventBatch(group.gathered);',
    replace:
      'const isOfMany = group.gathered[0].kv.modRevision < group.gathered.at(-1).kv.modRevision;\n        const batch = new EventBatch(isOfMany ? group.gathered.reverse() : group.gathered);',
  },
  {
    name: 'an event of a new key looks like one of an old key',
    file: 'mvcc/dist/history.js',
    find: '? keyValue(key, at, record)',
    replace: '? keyValue(key, at, record.version === 1 ? { ...record, createRevision: revision(at - 1) } : record)',
  },
  {
    name: 'the end of a watch takes watch 0 along',
    file: 'server/dist/services/watch.js',
    find: 'this.#context.store.watches.remove(watch.watcher);',
    replace:
      'this.#context.store.watches.remove(watch.watcher);\n        if (this.#watches.has(0)) this.#context.store.watches.remove(this.#watches.get(0).watcher);',
  },
  {
    name: 'word of progress does not wait for those that are behind',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: "return watcher.state === 'synced' && watcher.options.startRevision <= this.#revision;",
    replace: 'return watcher.options.startRevision <= this.#revision;',
  },
  {
    name: 'word of progress comes before a watch has begun',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: "return watcher.state === 'synced' && watcher.options.startRevision <= this.#revision;",
    replace: "return watcher.state === 'synced';",
  },
  {
    name: 'the previous value is that of the event itself',
    file: 'mvcc/dist/history.js',
    find: 'this.#versionAt(key, at - 1)',
    replace: 'this.#versionAt(key, at)',
  },
  {
    name: 'a watch of the future is given what happens before',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: 'const batch = all.from(watcher.next);',
    replace: 'const batch = all;',
  },
  {
    name: 'a watcher that lags is not told of the compaction',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: 'if (first.next < compacted) {',
    replace: 'if (false) {',
  },
  {
    name: 'a watcher that lags is not read for again once there is room',
    file: 'mvcc/dist/watch/watch-hub.js',
    find: "if (watcher.state === 'behind')\n                this.#enqueue(watcher);\n    }\n    /** Has",
    replace: ';\n    }\n    /** Has',
  },
  {
    name: 'a fragment is not marked as one',
    file: 'server/dist/services/watch.js',
    find: 'const fragment = i < pieces.length - 1;',
    replace: 'const fragment = false;',
  },
  {
    name: 'a fragment that finds no room is left out',
    file: 'server/dist/services/watch.js',
    find: 'this.#output.add(pb.WatchResponse.create({ header: header(this.#context, revision), watchId, events, fragment }));',
    replace:
      'if (this.hasRoom) this.#output.add(pb.WatchResponse.create({ header: header(this.#context, revision), watchId, events, fragment }));',
  },
  // --- Ranges in chunks ---
  {
    name: 'a chunk of a range is sent twice',
    file: 'mvcc/dist/range.js',
    find: 'sent += chunk.length;',
    replace: 'sent += chunk.length; if (sent === chunk.length && chunk.length > 2) yield chunk;',
  },
  {
    name: 'a range in chunks is read as of now, whatever revision was asked for',
    file: 'mvcc/dist/range.js',
    find: 'at, keysOnly: request.countOnly, patient: true });',
    replace: 'keysOnly: request.countOnly, patient: true });',
  },
  // --- Locks and elections ---
  {
    name: 'a lock is given to whoever waits for it',
    file: 'server/dist/services/waiting-line.js',
    find: 'if (!ahead)\n                    break;',
    replace: 'break;',
  },
  {
    name: 'a lock is given to who is next but one',
    file: 'server/dist/services/waiting-line.js',
    find: 'await this.#deleted(ahead.kv, ahead.revision, ends);',
    replace: 'await this.#deleted(ahead.kv, ahead.revision, ends); break;',
  },
  {
    name: 'who waited for a lock has it, though its lease has ended',
    file: 'server/dist/services/waiting-line.js',
    find: 'if (kvs[0]?.createRevision !== place.revision)',
    replace: 'if (false)',
  },
  {
    name: 'the leader is who wrote last',
    file: 'server/dist/services/waiting-line.js',
    find: 'sortOrder: pb.SortOrder.ASCEND, revision: at',
    replace: 'sortOrder: pb.SortOrder.DESCEND, sortTarget: pb.SortTarget.MOD, revision: at',
  },
  {
    name: 'who observes is told of the leader of now, and not of those in between',
    file: 'server/dist/services/waiting-line.js',
    find: 'await this.first(at)',
    replace: 'await this.first(0)',
  },
  {
    name: 'who observes is told only when the leader is another',
    file: 'server/dist/services/waiting-line.js',
    find: 'if (!first || type === DELETE)',
    replace: 'if (true)',
    also: [
      {
        file: 'server/dist/services/waiting-line.js',
        find: 'told?.modRevision === first.modRevision',
        replace: 'told?.createRevision === first.createRevision',
      },
    ],
  },
  {
    name: 'who observes hears nothing more once a leader has gone',
    file: 'server/dist/services/waiting-line.js',
    find: 'seen.revision + 1, ends)',
    replace: 'seen.revision + (told ? 1 : 1000), ends)',
  },
];
