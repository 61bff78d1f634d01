// etcdserverpb.Lease. Everything that changes a lease goes through the log, renewals too: so any member answers, a renewal that was answered is
// known to every later leader, and there is no lease that one member has ended and another renews.
import { type Deferred, deferred } from '@distrokv/base';
import { GrpcError, type Handlers, type ServerStream } from '@distrokv/grpc';
import { ApiError, MAX_LEASE_TTL, secondsLeft } from '@distrokv/mvcc';
import { type Method, etcdserverpb as pb } from '@distrokv/proto';
import { noLeader, serverStopped } from '../replica/errors.ts';
import { type ServiceContext, answer, header, withHeader } from './context.ts';
import { type Encoded, encodedLeases, mayBeEncoded } from './encoded.ts';
import type { LeaseClock } from './lease-clock.ts';
import type { Quota } from './quota.ts';
import { type Waiting, inSlices } from './slices.ts';

/** What a lease takes: etcd's estimate, for the quota. */
const LEASE_BYTES = 64;
/** Renewals of one stream that are on their way at once. */
const MAX_RENEWALS = 256;

interface LeaseMethods extends Omit<(typeof pb.Lease)['methods'], 'leaseLeases'> {
  readonly leaseLeases: Method<pb.LeaseLeasesRequest, pb.LeaseLeasesResponse | Encoded, 'unary'>;
}

/** The service as it is served here. */
export const leaseService: { readonly typeName: string; readonly methods: LeaseMethods } = {
  ...pb.Lease,
  methods: { ...pb.Lease.methods, leaseLeases: { ...pb.Lease.methods.leaseLeases, response: mayBeEncoded(pb.LeaseLeasesResponse) } },
};

type KeepAliveCall = ServerStream<pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse>;

export class LeaseService {
  readonly #context: ServiceContext;
  readonly #clock: LeaseClock;
  readonly #quota: Quota;
  readonly #stops = new Set<() => void>();

  constructor(context: ServiceContext, clock: LeaseClock, quota: Quota) {
    this.#context = context;
    this.#clock = clock;
    this.#quota = quota;
  }

  get handlers(): Handlers<typeof leaseService> {
    return {
      leaseGrant: (request, call) => answer(this.#context, call, () => this.grant(request)),
      leaseRevoke: (request, call) => answer(this.#context, call, () => this.revoke(request)),
      leaseKeepAlive: (call) => answer(this.#context, call, () => this.#keepAlive(call)),
      leaseTimeToLive: (request, call) => answer(this.#context, call, () => this.#timeToLive(request, call)),
      leaseLeases: (_request, call) => answer(this.#context, call, () => this.#list(call)),
    };
  }

  /** Ends the streams of renewals. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }

  async grant(request: pb.LeaseGrantRequest): Promise<pb.LeaseGrantResponse> {
    const { config, replica } = this.#context;
    if (request.ttl > MAX_LEASE_TTL) throw new ApiError('lease-ttl-too-large');
    this.#quota.check(LEASE_BYTES);
    const leastSeconds = Math.ceil((3 * config.electionMs) / 2 / 1000);
    const ttl = Math.max(request.ttl, leastSeconds);
    for (;;) {
      const id = request.id !== 0n ? request.id : this.#randomId();
      try {
        return withHeader(this.#context, await replica.propose({ kind: 'lease-grant', request: { id, ttl } }));
      } catch (error) {
        const isTaken = request.id === 0n && error instanceof ApiError && error.code === 'lease-exists';
        if (!isTaken) throw error;
      }
    }
  }

  async revoke(request: pb.LeaseRevokeRequest): Promise<pb.LeaseRevokeResponse> {
    return withHeader(this.#context, await this.#context.replica.propose({ kind: 'lease-revoke', request }));
  }

  /** Positive, so that it prints alike everywhere. */
  #randomId(): bigint {
    const { random } = this.#context.env;
    return (BigInt(random.uint32() & 0x7fff_ffff) << 32n) | BigInt((random.uint32() | 1) >>> 0);
  }

  async #keepAlive(call: KeepAliveCall): Promise<void> {
    if (this.#context.replica.leader === undefined) throw noLeader();
    const over: Deferred<void> = deferred();
    const stop = (): void => over.reject(serverStopped());
    this.#stops.add(stop);
    call.signal.addEventListener('abort', () => over.reject(new GrpcError('cancelled', 'context canceled', { isAnswer: true })));
    this.#renewAll(call, over).then(
      () => over.resolve(),
      (error: unknown) => over.reject(error),
    );
    try {
      await over.promise;
    } finally {
      this.#stops.delete(stop);
    }
  }

  /** Renewals go out together, and are answered in order. Resolves when the client asks no more and all are answered. */
  async #renewAll(call: KeepAliveCall, over: Deferred<void>): Promise<void> {
    let answered: Promise<void> = Promise.resolve();
    let underWay = 0;
    for await (const { id } of call.requests) {
      const renewal = this.#context.replica.propose({ kind: 'lease-renew', request: { id } });
      answered = Promise.all([renewal, answered]).then(async ([response]) => {
        underWay--;
        if (!call.send(withHeader(this.#context, response))) await call.writable();
      });
      answered.catch((error: unknown) => over.reject(error));
      if (++underWay >= MAX_RENEWALS) await answered;
    }
    await answered;
  }

  async #timeToLive({ id, keys }: pb.LeaseTimeToLiveRequest, waiting: Waiting): Promise<pb.LeaseTimeToLiveResponse> {
    const { env, replica, store } = this.#context;
    await replica.linearize();
    const lease = store.leases.get(id);
    const told = header(this.#context, store.state.revision);
    if (!lease) return pb.LeaseTimeToLiveResponse.create({ header: told, id, ttl: -1 });
    const ttl = secondsLeft(lease, this.#clock.nowMs);
    const attached = keys ? await inSlices(env, store.leases.keysOf(id, true), waiting) : [];
    return { header: told, id, ttl, grantedTTL: lease.ttl, keys: attached };
  }

  async #list(waiting: Waiting): Promise<pb.LeaseLeasesResponse | Encoded> {
    const { env, replica, store } = this.#context;
    await replica.linearize();
    const told = header(this.#context, store.state.revision);
    const ids = await inSlices(env, store.leases.list(), waiting);
    return inSlices(env, encodedLeases(told, ids), waiting);
  }
}
