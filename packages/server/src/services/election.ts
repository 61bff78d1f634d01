// v3electionpb.Election: whoever is first in the line leads; the value of its key is what it proclaims.
import { equalBytes } from '@distrokv/base';
import { GrpcError, type Handlers, type ServerStream } from '@distrokv/grpc';
import { etcdserverpb as pb, type v3electionpb } from '@distrokv/proto';
import { type ServiceContext, answer } from './context.ts';
import type { Ends } from './event-reader.ts';
import type { KvService } from './kv.ts';
import type { LeaseService } from './lease.ts';
import { WaitingLine, createRevisionIs } from './waiting-line.ts';

export class ElectionService {
  readonly #context: ServiceContext;
  readonly #kv: KvService;
  readonly #leases: LeaseService;
  readonly #stopping: AbortSignal;

  constructor(context: ServiceContext, kv: KvService, leases: LeaseService, stopping: AbortSignal) {
    this.#context = context;
    this.#kv = kv;
    this.#leases = leases;
    this.#stopping = stopping;
  }

  get handlers(): Handlers<typeof v3electionpb.Election> {
    const context = this.#context;
    return {
      campaign: (request, call) => answer(context, call, () => this.#campaign(request, [call.signal, this.#stopping])),
      proclaim: (request, call) => answer(context, call, () => this.#proclaim(request)),
      leader: (request, call) => answer(context, call, () => this.#leader(request)),
      observe: (request, call) => answer(context, call, () => this.#observe(request, call)),
      resign: (request, call) => answer(context, call, () => this.#resign(request)),
    };
  }

  async #campaign({ name, lease, value }: v3electionpb.CampaignRequest, ends: Ends): Promise<v3electionpb.CampaignResponse> {
    const line = this.#line(name);
    const place = await line.enter(lease, value);
    const leader = { name, key: place.key, rev: place.revision, lease: place.lease };
    try {
      if (place.before && !equalBytes(place.before.value, value)) await this.#proclaim({ leader, value });
      if (!(await line.wait(place, ends))) throw new GrpcError('unknown', 'election: session is expired');
    } catch (error) {
      await line.leave(place);
      throw error;
    }
    return { header: place.header, leader };
  }

  async #proclaim({ leader, value }: v3electionpb.ProclaimRequest): Promise<v3electionpb.ProclaimResponse> {
    const { key, rev, lease } = required(leader);
    const put = pb.PutRequest.create({ key, value, lease });
    const { header, succeeded } = await this.#kv.txn({
      compare: [createRevisionIs(key, rev)],
      success: [{ request: { case: 'requestPut', value: put } }],
      failure: [],
    });
    if (!succeeded) throw new GrpcError('unknown', 'election: not leader');
    return { header };
  }

  async #leader({ name }: v3electionpb.LeaderRequest): Promise<v3electionpb.LeaderResponse> {
    const { kv, header } = await this.#line(name).first();
    if (!kv) throw new GrpcError('unknown', 'election: no leader');
    return { header, kv };
  }

  async #resign({ leader }: v3electionpb.ResignRequest): Promise<v3electionpb.ResignResponse> {
    const { key, rev, name } = required(leader);
    return { header: await this.#line(name).leave({ key, revision: rev }) };
  }

  async #observe(
    { name }: v3electionpb.LeaderRequest,
    call: ServerStream<v3electionpb.LeaderRequest, v3electionpb.LeaderResponse>,
  ): Promise<void> {
    for await (const leader of this.#line(name).leaders([call.signal, this.#stopping])) if (!call.send(leader)) await call.writable();
  }

  #line(name: Uint8Array): WaitingLine {
    return new WaitingLine(this.#context, this.#kv, this.#leases, name);
  }
}

function required(leader: v3electionpb.LeaderKey | undefined): v3electionpb.LeaderKey {
  if (!leader) throw new GrpcError('unknown', '"leader" field must be provided');
  return leader;
}
