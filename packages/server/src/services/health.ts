// grpc.health.v1.Health, for the whole server (service "") as etcd has it.
import { GrpcError, type Handlers } from '@distrokv/grpc';
import { health } from '@distrokv/proto';

export function healthHandlers(): Handlers<typeof health.Health> {
  return {
    check: ({ service }) => {
      if (service !== '') throw new GrpcError('not-found', `unknown service ${JSON.stringify(service)}`);
      return { status: health.ServingStatus.SERVING };
    },
  };
}
