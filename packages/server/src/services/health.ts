// grpc.health.v1.Health: the server as a whole is the service "", as etcd has it; its services are as it is.
import { GrpcError, type Handlers } from '@distrokv/grpc';
import { health } from '@distrokv/proto';

const SERVING: health.HealthCheckResponse = { status: health.ServingStatus.SERVING };

/** `services`: the full names of all that are served. Once `stopping` is aborted, watchers hear that nothing is served any more. */
export function healthHandlers(services: readonly string[], stopping: AbortSignal): Handlers<typeof health.Health> {
  const known = new Set(['', ...services]);
  return {
    check: ({ service }) => {
      if (!known.has(service)) throw new GrpcError('not-found', `unknown service ${JSON.stringify(service)}`);
      return SERVING;
    },
    list: () => ({ statuses: new Map([...known].map((service) => [service, SERVING])) }),
    watch: ({ service }, call) => {
      call.send(known.has(service) ? SERVING : { status: health.ServingStatus.SERVICE_UNKNOWN });
      return new Promise((resolve) => {
        call.signal.addEventListener('abort', () => resolve());
        stopping.addEventListener(
          'abort',
          () => {
            call.send({ status: health.ServingStatus.NOT_SERVING });
            resolve();
          },
          { signal: call.signal },
        );
      });
    },
  };
}
