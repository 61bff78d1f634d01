// The settings of `distrokv server`, one row each. This table is the only list of them: the command line, the environment,
// the config file, `--help` and docs/commands.md are all driven by it. Names and defaults are etcd's.

export type FlagGroup = 'member' | 'cluster' | 'TLS' | 'timing' | 'limits' | 'history' | 'logging' | 'config file';

export type ServerFlagName =
  | 'name'
  | 'data-dir'
  | 'listen-client-urls'
  | 'advertise-client-urls'
  | 'listen-peer-urls'
  | 'initial-advertise-peer-urls'
  | 'initial-cluster'
  | 'initial-cluster-state'
  | 'initial-cluster-token'
  | 'rejoin'
  | 'strict-reconfig-check'
  | 'max-learners'
  | 'snapshot-catchup-entries'
  | 'cert-file'
  | 'key-file'
  | 'trusted-ca-file'
  | 'client-cert-auth'
  | 'peer-cert-file'
  | 'peer-key-file'
  | 'peer-trusted-ca-file'
  | 'peer-client-cert-auth'
  | 'heartbeat-interval'
  | 'election-timeout'
  | 'lease-reads'
  | 'max-clock-drift'
  | 'quota-backend-bytes'
  | 'max-request-bytes'
  | 'max-txn-ops'
  | 'auto-disarm'
  | 'auto-compaction-mode'
  | 'auto-compaction-retention'
  | 'watch-progress-notify-interval'
  | 'log-level'
  | 'log-format'
  | 'config-file';

export interface ServerFlag {
  readonly name: ServerFlagName;
  /** How the value is shown in help: "URLS", "MS". */
  readonly placeholder: string;
  /** `text` is checked where it is used (`config.ts`); `integer` is a whole number in [min, max]; `boolean` needs no value on the command line. */
  readonly kind: 'boolean' | 'integer' | 'text';
  readonly min?: number;
  readonly max?: number;
  /** The default as people read it; what it depends on is named in words. */
  readonly shownDefault: string;
  readonly help: string;
  readonly group: FlagGroup;
}

const rows: Readonly<Record<ServerFlagName, Omit<ServerFlag, 'name'>>> = {
  name: {
    placeholder: 'NAME',
    kind: 'text',
    shownDefault: 'default',
    help: 'name of this member, as --initial-cluster names it',
    group: 'member',
  },
  'data-dir': {
    placeholder: 'DIR',
    kind: 'text',
    shownDefault: 'NAME.distrokv',
    help: 'directory of everything that this member keeps',
    group: 'member',
  },
  'listen-client-urls': {
    placeholder: 'URLS',
    kind: 'text',
    shownDefault: 'http://127.0.0.1:2379',
    help: 'where clients are served, separated by commas',
    group: 'member',
  },
  'advertise-client-urls': {
    placeholder: 'URLS',
    kind: 'text',
    shownDefault: 'as --listen-client-urls; needed where that is 0.0.0.0 or [::]',
    help: 'client URLs that the other members and the clients are told',
    group: 'member',
  },
  'listen-peer-urls': {
    placeholder: 'URLS',
    kind: 'text',
    shownDefault: 'http://127.0.0.1:2380',
    help: 'where the other members are served',
    group: 'member',
  },
  'initial-advertise-peer-urls': {
    placeholder: 'URLS',
    kind: 'text',
    shownDefault: 'as --listen-peer-urls; needed where that is 0.0.0.0 or [::]',
    help: 'peer URLs that the other members are told',
    group: 'cluster',
  },
  'initial-cluster': {
    placeholder: 'MEMBERS',
    kind: 'text',
    shownDefault: 'NAME=initial-advertise-peer-urls',
    help: 'all members at the first start: n1=http://host1:2380,n2=http://host2:2380',
    group: 'cluster',
  },
  'initial-cluster-state': {
    placeholder: 'STATE',
    kind: 'text',
    shownDefault: 'new',
    help: 'new, or existing for a member that joins a running cluster',
    group: 'cluster',
  },
  'initial-cluster-token': {
    placeholder: 'TOKEN',
    kind: 'text',
    shownDefault: 'etcd-cluster',
    help: 'tells clusters apart that were given the same URLs',
    group: 'cluster',
  },
  rejoin: {
    placeholder: 'BOOL',
    kind: 'boolean',
    shownDefault: 'false',
    help: 'with --initial-cluster-state existing, when the disk of this member was lost: take its place as a new one',
    group: 'cluster',
  },
  'strict-reconfig-check': {
    placeholder: 'BOOL',
    kind: 'boolean',
    shownDefault: 'true',
    help: 'refuse changes of members that could cost the cluster its quorum',
    group: 'cluster',
  },
  'max-learners': {
    placeholder: 'N',
    kind: 'integer',
    min: 1,
    max: 100,
    shownDefault: '1',
    help: 'most learners at a time',
    group: 'cluster',
  },
  'snapshot-catchup-entries': {
    placeholder: 'N',
    kind: 'integer',
    min: 0,
    shownDefault: '5000',
    help: 'entries of the log that are kept for members that are behind; past them they get a snapshot',
    group: 'limits',
  },
  'cert-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: 'certificate for clients whose URL says https, PEM; read again when it changes',
    group: 'TLS',
  },
  'key-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: 'its key, PEM',
    group: 'TLS',
  },
  'trusted-ca-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: "authorities of clients' certificates, PEM; clients must then show one",
    group: 'TLS',
  },
  'client-cert-auth': {
    placeholder: 'BOOL',
    kind: 'boolean',
    shownDefault: 'false',
    help: 'clients must show a certificate',
    group: 'TLS',
  },
  'peer-cert-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: 'certificate for the other members, shown to them both as server and as client',
    group: 'TLS',
  },
  'peer-key-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: 'its key, PEM',
    group: 'TLS',
  },
  'peer-trusted-ca-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: "authorities of the members' certificates, PEM",
    group: 'TLS',
  },
  'peer-client-cert-auth': {
    placeholder: 'BOOL',
    kind: 'boolean',
    shownDefault: 'false',
    help: 'other members must show a certificate',
    group: 'TLS',
  },
  'heartbeat-interval': {
    placeholder: 'MS',
    kind: 'integer',
    min: 1,
    max: 10_000,
    shownDefault: '100',
    help: 'milliseconds between the heartbeats of a leader',
    group: 'timing',
  },
  'election-timeout': {
    placeholder: 'MS',
    kind: 'integer',
    min: 5,
    max: 50_000,
    shownDefault: '1000',
    help: 'milliseconds of silence before an election, at least five heartbeats',
    group: 'timing',
  },
  'lease-reads': {
    placeholder: 'BOOL',
    kind: 'boolean',
    shownDefault: 'false',
    help: 'answer linearizable reads without asking a majority: right only while clocks keep to a bound; for every member or none',
    group: 'timing',
  },
  'max-clock-drift': {
    placeholder: 'FRACTION',
    kind: 'text',
    shownDefault: '0.01',
    help: 'with --lease-reads: how much faster or slower than true time the clock of any member may run, above 0 and below 0.5',
    group: 'timing',
  },
  'quota-backend-bytes': {
    placeholder: 'BYTES',
    kind: 'integer',
    shownDefault: '0',
    help: 'puts are refused when the store is this large; 0 for 2 GiB, negative for no limit',
    group: 'limits',
  },
  'max-request-bytes': {
    placeholder: 'BYTES',
    kind: 'integer',
    min: 1,
    max: 1_073_741_824,
    shownDefault: '1572864',
    help: 'largest request of a client',
    group: 'limits',
  },
  'max-txn-ops': {
    placeholder: 'N',
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    shownDefault: '128',
    help: 'most operations in one branch of a transaction',
    group: 'limits',
  },
  'auto-disarm': {
    placeholder: 'BOOL',
    kind: 'text',
    shownDefault: 'true',
    help: 'take the NOSPACE alarm back when there is room again; false: an operator does, as with etcd',
    group: 'limits',
  },
  'auto-compaction-mode': {
    placeholder: 'MODE',
    kind: 'text',
    shownDefault: 'periodic',
    help: 'what --auto-compaction-retention counts: periodic (time) or revision',
    group: 'history',
  },
  'auto-compaction-retention': {
    placeholder: 'AMOUNT',
    kind: 'text',
    shownDefault: '0',
    help: 'how much of the past is kept: a duration such as 90m, a number of hours, or of revisions; 0: all, until somebody compacts',
    group: 'history',
  },
  'watch-progress-notify-interval': {
    placeholder: 'TIME',
    kind: 'text',
    shownDefault: '10m',
    help: 'how often watchers that ask for it hear that nothing has happened; at least 100ms',
    group: 'history',
  },
  'log-level': {
    placeholder: 'LEVEL',
    kind: 'text',
    shownDefault: 'info',
    help: 'least severe messages that are logged: debug, info, warn, error, fatal',
    group: 'logging',
  },
  'log-format': {
    placeholder: 'FORMAT',
    kind: 'text',
    shownDefault: 'text on a terminal, json otherwise',
    help: 'json: one object per line; text (or console): for people',
    group: 'logging',
  },
  'config-file': {
    placeholder: 'FILE',
    kind: 'text',
    shownDefault: '',
    help: 'YAML with these names as keys; all other flags and the environment are then ignored, as etcd does',
    group: 'config file',
  },
};

export const serverFlags: readonly ServerFlag[] = (Object.keys(rows) as ServerFlagName[]).map((name) => ({ name, ...rows[name] }));

const byName: ReadonlyMap<string, ServerFlag> = new Map(serverFlags.map((flag) => [flag.name, flag]));

export function findServerFlag(name: string): ServerFlag | undefined {
  return byName.get(name);
}

/** The variable behind a flag: "data-dir" is DISTROKV_DATA_DIR, or ETCD_DATA_DIR. */
export function environmentName(prefix: 'DISTROKV' | 'ETCD', flag: string): string {
  return `${prefix}_${flag.toUpperCase().replaceAll('-', '_')}`;
}
