// Generated from proto/health.proto by generator/main.mjs: change that and run `npm run generate`.
// The health service that load balancers and probes ask (gRPC health checking protocol, v1).
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import * as codec from './health.codec.ts';

/** Open: a number without a name here may come from a later version. */
export type ServingStatus = number;
export const ServingStatus: { readonly UNKNOWN: 0; readonly SERVING: 1; readonly NOT_SERVING: 2; readonly SERVICE_UNKNOWN: 3 } = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  /** Only from Watch. */
  SERVICE_UNKNOWN: 3,
};

export interface HealthCheckRequest {
  /** Full name of a service; empty for the server as a whole. */
  readonly service: string;
}
export const HealthCheckRequest: MessageType<HealthCheckRequest> = messageType(
  'grpc.health.v1.HealthCheckRequest',
  codec.createHealthCheckRequest,
  codec.readHealthCheckRequest,
  codec.writeHealthCheckRequest,
);

export interface HealthCheckResponse {
  readonly status: ServingStatus;
}
export const HealthCheckResponse: MessageType<HealthCheckResponse> = messageType(
  'grpc.health.v1.HealthCheckResponse',
  codec.createHealthCheckResponse,
  codec.readHealthCheckResponse,
  codec.writeHealthCheckResponse,
);

export type HealthListRequest = Readonly<Record<string, never>>;
export const HealthListRequest: MessageType<HealthListRequest> = messageType(
  'grpc.health.v1.HealthListRequest',
  codec.createHealthListRequest,
  codec.readHealthListRequest,
  codec.writeHealthListRequest,
);

export interface HealthListResponse {
  /** By full name of the service. */
  readonly statuses: ReadonlyMap<string, HealthCheckResponse>;
}
export const HealthListResponse: MessageType<HealthListResponse> = messageType(
  'grpc.health.v1.HealthListResponse',
  codec.createHealthListResponse,
  codec.readHealthListResponse,
  codec.writeHealthListResponse,
);

export const Health: {
  readonly typeName: 'grpc.health.v1.Health';
  readonly methods: {
    /** The state now; NOT_FOUND for a service that is not known. */
    readonly check: Method<HealthCheckRequest, HealthCheckResponse, 'unary'>;
    /** The state of every known service. */
    readonly list: Method<HealthListRequest, HealthListResponse, 'unary'>;
    /** The state now, then each change of it. */
    readonly watch: Method<HealthCheckRequest, HealthCheckResponse, 'server-stream'>;
  };
} = {
  typeName: 'grpc.health.v1.Health',
  methods: {
    check: { path: '/grpc.health.v1.Health/Check', kind: 'unary', request: HealthCheckRequest, response: HealthCheckResponse },
    list: { path: '/grpc.health.v1.Health/List', kind: 'unary', request: HealthListRequest, response: HealthListResponse },
    watch: { path: '/grpc.health.v1.Health/Watch', kind: 'server-stream', request: HealthCheckRequest, response: HealthCheckResponse },
  },
};
