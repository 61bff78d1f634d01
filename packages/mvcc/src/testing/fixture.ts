// A store on an engine in memory, with what a member does around it: entries in, ranges out, crash and replay.
import assert from 'node:assert/strict';
import { logIndex, term } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { ApiError } from '../api-errors.ts';
import { type Command, decodeCommand, encodeCommand } from '../command.ts';
import { storeKeyspaces } from '../keyspaces.ts';
import { PlainPut } from '../plain-put.ts';
import { runSteps } from '../steps.ts';
import { type CommandResult, Store } from '../store.ts';
import { revisionHeader } from '../txn.ts';

export class StoreFixture {
  #env: MemoryEnv;
  #engine: Engine;
  #store: Store;
  readonly #plain = new PlainPut();
  /** Every command so far, by its index - 1: what the Raft log would hold. */
  readonly log: Uint8Array[][] = [];

  private constructor(env: MemoryEnv, engine: Engine) {
    this.#env = env;
    this.#engine = engine;
    this.#store = new Store(engine);
  }

  static async open(seed = 1): Promise<StoreFixture> {
    const env = createMemoryEnv({ seed });
    const fixture = new StoreFixture(env, await openAt(env));
    await fixture.#store.bootstrap([pb.Member.create({ id: 1n, peerURLs: ['http://127.0.0.1:1'] })]);
    return fixture;
  }

  get store(): Store {
    return this.#store;
  }

  /** Applies one log entry of these commands; answers or the errors that they were refused with. */
  async apply(...commands: Command[]): Promise<(CommandResult | ApiError)[]> {
    const entry = commands.map(encodeCommand);
    this.log.push(entry);
    const [only] = commands;
    const read = commands.length === 1 && only?.kind === 'txn' ? this.#readAlone(only.request) : undefined;
    const results = await this.#applyEntry(entry, this.log.length);
    if (read) assert.deepEqual(results, [read], 'a transaction that only reads is answered alike with the log and without');
    return results;
  }

  /** The answer to a transaction as a member gives it without the log, if it does. */
  #readAlone(request: pb.TxnRequest): pb.TxnResponse | ApiError | undefined {
    try {
      const read = runSteps(this.#store.reads.txnIfItOnlyReads(request));
      if (this.#store.reads.wouldOnlyRead(request) === true) assert.ok(read, 'who would only read does');
      return read;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  async put(request: pb.PutRequest): Promise<pb.PutResponse> {
    return this.#one<pb.PutResponse>({ kind: 'put', request });
  }

  async del(request: pb.DeleteRangeRequest): Promise<pb.DeleteRangeResponse> {
    return this.#one<pb.DeleteRangeResponse>({ kind: 'delete-range', request });
  }

  async txn(request: pb.TxnRequest): Promise<pb.TxnResponse> {
    return this.#one<pb.TxnResponse>({ kind: 'txn', request });
  }

  rangeSteps(request: pb.RangeRequest): ReturnType<Store['reads']['rangeSteps']> {
    return this.#store.reads.rangeSteps(request);
  }

  async compact(revision: number): Promise<pb.CompactionResponse> {
    return this.#one<pb.CompactionResponse>({ kind: 'compact', request: { revision, physical: false } });
  }

  async grant(id: bigint, ttl: number): Promise<pb.LeaseGrantResponse> {
    return this.#one<pb.LeaseGrantResponse>({ kind: 'lease-grant', request: { id, ttl } });
  }

  async revoke(id: bigint): Promise<pb.LeaseRevokeResponse> {
    return this.#one<pb.LeaseRevokeResponse>({ kind: 'lease-revoke', request: { id } });
  }

  async renew(id: bigint): Promise<pb.LeaseKeepAliveResponse> {
    return this.#one<pb.LeaseKeepAliveResponse>({ kind: 'lease-renew', request: { id } });
  }

  /** Moves the lease clock on. */
  async tick(ms: number): Promise<void> {
    const fromMs = this.#store.state.leaseClockMs;
    await this.apply({ kind: 'lease-tick', request: { fromMs, toMs: fromMs + ms } });
  }

  async alarm(request: pb.AlarmRequest): Promise<pb.AlarmResponse> {
    return this.#one<pb.AlarmResponse>({ kind: 'alarm', request });
  }

  range(request: pb.RangeRequest): pb.RangeResponse {
    const { steps, toResponse } = this.#store.reads.rangeSteps(request);
    return toResponse(runSteps(steps));
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  /** Kills the process and the power, finds the files again, and applies what the log has beyond them. */
  async crashAndRecover(): Promise<void> {
    const { fs, random } = this.#env;
    this.#env = createMemoryEnv({ seed: random.uint32(), fs: fs.crash('lost', random) });
    this.#engine = await openAt(this.#env);
    this.#store = new Store(this.#engine);
    for (let index = this.#store.state.appliedIndex + 1; index <= this.log.length; index++) {
      await this.#applyEntry(this.log[index - 1] as Uint8Array[], index);
    }
  }

  async #one<T extends CommandResult>(command: Command): Promise<T> {
    const [result] = await this.apply(command);
    if (result instanceof ApiError) throw result;
    return result as T;
  }

  async #applyEntry(entry: readonly Uint8Array[], index: number): Promise<(CommandResult | ApiError)[]> {
    const results = entry.map((bytes) => {
      try {
        if (!this.#plain.read(bytes, 0, bytes.length)) return this.#store.apply(decodeCommand(bytes));
        return pb.PutResponse.create({ header: revisionHeader(this.#store.applyPlain(this.#plain)) });
      } catch (error) {
        if (error instanceof ApiError) return error;
        throw error;
      }
    });
    await this.#store.commit(logIndex(index), term(1));
    return results;
  }
}

function openAt(env: MemoryEnv): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces: storeKeyspaces, wal: 'none', memtableBytes: 64 * 1024 });
}
