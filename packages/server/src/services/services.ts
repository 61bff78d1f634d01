// All services of a member: made together, served on the client port, started and stopped with the member.
import { etcdserverpb as pb, health, kvservice, v3electionpb, v3lockpb } from '@distrokv/proto';
import { metrics } from '../http/metrics.ts';
import { probes } from '../http/probes.ts';
import { serverStopped } from '../replica/errors.ts';
import type { ClientTransport } from '../transport.ts';
import { ancestorHandlers } from './ancestor.ts';
import { ClusterService } from './cluster.ts';
import { Compactor } from './compactor.ts';
import type { ServiceContext } from './context.ts';
import { ElectionService } from './election.ts';
import { healthHandlers } from './health.ts';
import { KvService, kvService } from './kv.ts';
import { LeaseClock } from './lease-clock.ts';
import { LeaseService, leaseService } from './lease.ts';
import { lockHandlers } from './lock.ts';
import { maintenanceHandlers } from './maintenance.ts';
import { Quota } from './quota.ts';
import { WatchService } from './watch.ts';

export class Services {
  readonly cluster: ClusterService;
  readonly #context: ServiceContext;
  readonly #clock: LeaseClock;
  readonly #quota: Quota;
  readonly #compactor: Compactor;
  readonly #kv: KvService;
  readonly #watch: WatchService;
  readonly #lease: LeaseService;
  readonly #stopping = new AbortController();

  constructor(context: ServiceContext) {
    this.#context = context;
    this.cluster = new ClusterService(context);
    this.#clock = new LeaseClock(context);
    this.#quota = new Quota(context);
    this.#compactor = new Compactor(context);
    this.#kv = new KvService(context, this.#quota, this.#compactor);
    this.#watch = new WatchService(context);
    this.#lease = new LeaseService(context, this.#clock, this.#quota);
  }

  serve(server: ClientTransport): void {
    const context = this.#context;
    server.addService(kvService, this.#kv.handlers);
    server.addService(pb.Watch, this.#watch.handlers);
    server.addService(leaseService, this.#lease.handlers);
    server.addService(v3lockpb.Lock, lockHandlers(context, this.#kv, this.#lease, this.#stopping.signal));
    server.addService(v3electionpb.Election, new ElectionService(context, this.#kv, this.#lease, this.#stopping.signal).handlers);
    server.addService(pb.Cluster, this.cluster.handlers);
    server.addService(pb.Maintenance, maintenanceHandlers(context));
    server.addService(kvservice.KVService, ancestorHandlers(context, this.#kv));
    const served = [pb.KV, pb.Watch, pb.Lease, pb.Cluster, pb.Maintenance, v3lockpb.Lock, v3electionpb.Election, kvservice.KVService];
    server.addService(
      health.Health,
      healthHandlers(
        served.map(({ typeName }) => typeName),
        this.#stopping.signal,
      ),
    );
    server.addHttp(probes(context));
    server.addHttp(metrics(context));
  }

  start(): void {
    this.#clock.start();
    this.#quota.start();
    this.#compactor.start();
  }

  /** Ends what would not end by itself. */
  stop(): void {
    this.#stopping.abort(serverStopped());
    this.#clock.stop();
    this.#quota.stop();
    this.#compactor.stop();
    this.#watch.stop();
    this.#lease.stop();
  }
}
