// etcd's flags that this version does not act on, so that the command line of an etcd starts this server too. Where that is
// harmless the start says so in one line; where somebody would rely on it (encryption, a forced recovery) the start is refused.

export interface UnservedFlag {
  readonly name: string;
  /** A `boolean` needs no value on the command line. */
  readonly kind: 'boolean' | 'value';
}

export interface RefusedFlag extends UnservedFlag {
  /** Values with which it changes nothing, so that it may be given. */
  readonly harmless: readonly string[];
  /** What this version does not have yet. */
  readonly missing: string;
}

const values = (...names: string[]): UnservedFlag[] => names.map((name) => ({ name, kind: 'value' }));
const booleans = (...names: string[]): UnservedFlag[] => names.map((name) => ({ name, kind: 'boolean' }));

/** Accepted, named in a warning, and without effect. */
export const ignoredFlags: readonly UnservedFlag[] = [
  ...values('wal-dir', 'snapshot-count', 'max-snapshots', 'max-wals', 'max-concurrent-streams'),
  ...values('listen-client-http-urls', 'listen-metrics-urls', 'cors', 'host-whitelist', 'metrics', 'feature-gates'),
  ...values('compaction-batch-limit', 'compaction-sleep-interval'),
  ...values('grpc-keepalive-min-time', 'grpc-keepalive-interval', 'grpc-keepalive-timeout'),
  ...values('corrupt-check-time', 'compact-hash-check-time', 'warning-apply-duration', 'warning-unary-request-duration'),
  ...values('auth-token-ttl', 'bcrypt-cost', 'backend-batch-interval', 'backend-batch-limit', 'backend-bbolt-freelist-type'),
  ...values('bootstrap-defrag-threshold-megabytes', 'downgrade-check-time', 'logger', 'log-outputs', 'log-rotation-config-json'),
  ...values('tls-min-version', 'tls-max-version', 'cipher-suites', 'self-signed-cert-validity', 'v2-deprecation', 'proxy-failure-wait'),
  ...values('proxy-refresh-interval', 'proxy-dial-timeout', 'proxy-write-timeout', 'proxy-read-timeout', 'discovery-fallback'),
  ...values('distributed-tracing-address', 'distributed-tracing-service-name', 'distributed-tracing-instance-id'),
  ...values('distributed-tracing-sampling-rate', 'local-address', 'raft-read-timeout', 'raft-write-timeout'),
  ...booleans('pre-vote', 'initial-election-tick-advance', 'enable-grpc-gateway', 'enable-pprof', 'enable-v2'),
  ...booleans('enable-log-rotation', 'enable-distributed-tracing', 'memory-mlock', 'unsafe-no-fsync', 'socket-reuse-port'),
  ...booleans('socket-reuse-address', 'experimental-initial-corrupt-check', 'experimental-compact-hash-check-enabled', 'debug'),
  ...booleans('experimental-enable-lease-checkpoint', 'experimental-enable-lease-checkpoint-persist', 'experimental-memory-mlock'),
  ...booleans('experimental-enable-distributed-tracing', 'experimental-txn-mode-write-with-shared-buffer'),
  ...booleans('experimental-stop-grpc-service-on-defrag', 'experimental-peer-skip-client-san-verification'),
  ...values('experimental-corrupt-check-time', 'experimental-compact-hash-check-time', 'experimental-compaction-batch-limit'),
  ...values('experimental-compaction-sleep-interval', 'experimental-watch-progress-notify-interval', 'experimental-max-learners'),
  ...values('experimental-warning-apply-duration', 'experimental-warning-unary-request-duration', 'experimental-enable-v2v3'),
  ...values('experimental-bootstrap-defrag-threshold-megabytes', 'experimental-distributed-tracing-address'),
  ...values('experimental-distributed-tracing-service-name', 'experimental-distributed-tracing-instance-id'),
  ...values('experimental-distributed-tracing-sampling-rate', 'experimental-backend-bbolt-freelist-type'),
  ...values('discovery-dial-timeout', 'discovery-request-timeout', 'discovery-keepalive-time', 'discovery-keepalive-timeout'),
  ...booleans('discovery-insecure-transport', 'discovery-insecure-skip-tls-verify'),
  ...values('experimental-snapshot-catchup-entries', 'experimental-downgrade-check-time', 'experimental-wait-cluster-ready-timeout'),
];

const refused = (missing: string, harmless: readonly string[], flags: readonly UnservedFlag[]): RefusedFlag[] =>
  flags.map((flag) => ({ ...flag, harmless: flag.kind === 'boolean' ? ['false', ...harmless] : ['', ...harmless], missing }));

/** Refused unless the value is one that changes nothing. */
export const refusedFlags: readonly RefusedFlag[] = [
  ...refused(
    'TLS for clients by other files or rules',
    [],
    [
      ...values('client-cert-file', 'client-key-file', 'ca-file', 'client-crl-file', 'client-cert-allowed-hostname'),
      ...booleans('auto-tls'),
    ],
  ),
  ...refused(
    'TLS between members by other files or rules',
    [],
    [
      ...values('peer-client-cert-file', 'peer-client-key-file', 'peer-ca-file', 'peer-crl-file'),
      ...values('peer-cert-allowed-cn', 'peer-cert-allowed-hostname'),
      ...booleans('peer-auto-tls'),
    ],
  ),
  ...refused('authentication by JWT', ['simple'], values('auth-token')),
  ...refused('recovery by a forced new cluster', [], booleans('force-new-cluster')),
  ...refused(
    'discovery of members',
    [],
    [
      ...values('discovery', 'discovery-proxy', 'discovery-srv', 'discovery-srv-name', 'discovery-token', 'discovery-endpoints'),
      ...values('discovery-cert', 'discovery-key', 'discovery-cacert', 'discovery-user', 'discovery-password'),
    ],
  ),
  ...refused('the proxy mode', ['off'], values('proxy')),
];

export const unservedFlags: ReadonlyMap<string, UnservedFlag | RefusedFlag> = new Map(
  [...ignoredFlags, ...refusedFlags].map((flag) => [flag.name, flag]),
);

/** Whether this flag with this value must not be ignored. */
export function isRefused(flag: UnservedFlag | RefusedFlag, value: string): flag is RefusedFlag {
  return 'harmless' in flag && !flag.harmless.includes(value);
}
