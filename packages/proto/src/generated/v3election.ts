// Generated from proto/v3election.proto by generator/main.mjs: change that and run `npm run generate`.
// Elections, kept by the server. Wire-compatible with etcd's v3electionpb.
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import type { ResponseHeader } from './rpc.ts';
import type { KeyValue } from './kv.ts';
import * as codec from './v3election.codec.ts';

export interface CampaignRequest {
  readonly name: Uint8Array;
  /** 0: the server grants one of a minute, which nobody renews. */
  readonly lease: bigint;
  readonly value: Uint8Array;
}
export const CampaignRequest: MessageType<CampaignRequest> = messageType(
  'v3electionpb.CampaignRequest',
  codec.createCampaignRequest,
  codec.readCampaignRequest,
  codec.writeCampaignRequest,
);

export interface CampaignResponse {
  readonly header: ResponseHeader | undefined;
  readonly leader: LeaderKey | undefined;
}
export const CampaignResponse: MessageType<CampaignResponse> = messageType(
  'v3electionpb.CampaignResponse',
  codec.createCampaignResponse,
  codec.readCampaignResponse,
  codec.writeCampaignResponse,
);

/** Who leads, and since when: valid while `key` has the create revision `rev`. */
export interface LeaderKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
  readonly rev: number;
  readonly lease: bigint;
}
export const LeaderKey: MessageType<LeaderKey> = messageType(
  'v3electionpb.LeaderKey',
  codec.createLeaderKey,
  codec.readLeaderKey,
  codec.writeLeaderKey,
);

export interface LeaderRequest {
  readonly name: Uint8Array;
}
export const LeaderRequest: MessageType<LeaderRequest> = messageType(
  'v3electionpb.LeaderRequest',
  codec.createLeaderRequest,
  codec.readLeaderRequest,
  codec.writeLeaderRequest,
);

export interface LeaderResponse {
  readonly header: ResponseHeader | undefined;
  readonly kv: KeyValue | undefined;
}
export const LeaderResponse: MessageType<LeaderResponse> = messageType(
  'v3electionpb.LeaderResponse',
  codec.createLeaderResponse,
  codec.readLeaderResponse,
  codec.writeLeaderResponse,
);

export interface ResignRequest {
  readonly leader: LeaderKey | undefined;
}
export const ResignRequest: MessageType<ResignRequest> = messageType(
  'v3electionpb.ResignRequest',
  codec.createResignRequest,
  codec.readResignRequest,
  codec.writeResignRequest,
);

export interface ResignResponse {
  readonly header: ResponseHeader | undefined;
}
export const ResignResponse: MessageType<ResignResponse> = messageType(
  'v3electionpb.ResignResponse',
  codec.createResignResponse,
  codec.readResignResponse,
  codec.writeResignResponse,
);

export interface ProclaimRequest {
  readonly leader: LeaderKey | undefined;
  readonly value: Uint8Array;
}
export const ProclaimRequest: MessageType<ProclaimRequest> = messageType(
  'v3electionpb.ProclaimRequest',
  codec.createProclaimRequest,
  codec.readProclaimRequest,
  codec.writeProclaimRequest,
);

export interface ProclaimResponse {
  readonly header: ResponseHeader | undefined;
}
export const ProclaimResponse: MessageType<ProclaimResponse> = messageType(
  'v3electionpb.ProclaimResponse',
  codec.createProclaimResponse,
  codec.readProclaimResponse,
  codec.writeProclaimResponse,
);

export const Election: {
  readonly typeName: 'v3electionpb.Election';
  readonly methods: {
    /** Waits until the caller leads, for as long as its lease lives. */
    readonly campaign: Method<CampaignRequest, CampaignResponse, 'unary'>;
    /** Gives a leader's value anew, without another election. */
    readonly proclaim: Method<ProclaimRequest, ProclaimResponse, 'unary'>;
    readonly leader: Method<LeaderRequest, LeaderResponse, 'unary'>;
    /** Each leader, and each value that it proclaims; some may be left out, but never the last. */
    readonly observe: Method<LeaderRequest, LeaderResponse, 'server-stream'>;
    readonly resign: Method<ResignRequest, ResignResponse, 'unary'>;
  };
} = {
  typeName: 'v3electionpb.Election',
  methods: {
    campaign: { path: '/v3electionpb.Election/Campaign', kind: 'unary', request: CampaignRequest, response: CampaignResponse },
    proclaim: { path: '/v3electionpb.Election/Proclaim', kind: 'unary', request: ProclaimRequest, response: ProclaimResponse },
    leader: { path: '/v3electionpb.Election/Leader', kind: 'unary', request: LeaderRequest, response: LeaderResponse },
    observe: { path: '/v3electionpb.Election/Observe', kind: 'server-stream', request: LeaderRequest, response: LeaderResponse },
    resign: { path: '/v3electionpb.Election/Resign', kind: 'unary', request: ResignRequest, response: ResignResponse },
  },
};
