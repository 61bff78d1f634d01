// What a server is told, once checked: plain values, no flags and no texts left to parse. The command line, the config
// file and the embedded mode all end here. Names and defaults are etcd's (its "Configuration options").
import { ServerError } from './errors.ts';
import type { TlsConfig } from './tls-files.ts';

/** An address as in "http://127.0.0.1:2379", or with https for TLS. */
export interface EndpointUrl {
  /** As it was written, without a trailing slash: what members are told. */
  readonly text: string;
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** It said https. */
  readonly isSecure: boolean;
}

export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly EndpointUrl[];
}

export interface ServerConfig {
  readonly name: string;
  readonly dataDirectory: string;
  readonly listenClientUrls: readonly EndpointUrl[];
  readonly advertiseClientUrls: readonly EndpointUrl[];
  readonly listenPeerUrls: readonly EndpointUrl[];
  readonly initialAdvertisePeerUrls: readonly EndpointUrl[];
  /** Everyone at the first start, this member included; ignored once the data directory exists. */
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterState: 'new' | 'existing';
  /** With `existing`: take the place of the member with this one's peer URLs, whose disk is lost (default false). */
  readonly rejoin?: boolean;
  /** Refuse changes of members that could cost the cluster its quorum (default true). */
  readonly strictReconfigCheck?: boolean;
  /** Entries that stay in the log for followers that are behind; past them they get a snapshot (default 5,000). */
  readonly snapshotCatchUpEntries?: number;
  /** Most learners at a time (default 1). */
  readonly maxLearners?: number;
  readonly initialClusterToken: string;
  /** Time between a leader's heartbeats: one tick of Raft. */
  readonly heartbeatMs: number;
  /** Silence after which a follower may call an election; at least five heartbeats. */
  readonly electionMs: number;
  /**
   * Answer linearizable reads without asking a majority, while its promises last: fast, and right only while the clock of every member keeps to this
   * bound (default: off). `maxDrift`: how much faster or slower than true time it may run, above 0 and below 0.5: 0.01 for a hundredth.
   */
  readonly leaseReads?: { readonly maxDrift: number } | undefined;
  /** Puts are refused when the store is this large; Infinity for no quota. */
  readonly quotaBytes: number;
  /** Largest request that a client may send. */
  readonly maxRequestBytes: number;
  /** Most operations in one branch of a transaction. */
  readonly maxTxnOps: number;
  /** For https among the client URLs. */
  readonly clientTls?: TlsConfig | undefined;
  /** For https among the peer URLs. */
  readonly peerTls?: TlsConfig | undefined;
  /** How often watchers that ask for it hear of progress while nothing happens (default 10 minutes). */
  readonly watchProgressNotifyMs?: number;
  /** What a stream of watchers whose client reads slowly may hold, before they fall back to reading history (default 1 MiB). */
  readonly watchQueueBytes?: number;
  /** Encoded events from which on a response is cut, for who takes fragments; default: what etcd takes, max-request-bytes and 512 KiB. */
  readonly watchFragmentBytes?: number;
  /** Keys and values of a chunk of a RangeStream at most, or one key; default: max-request-bytes. */
  readonly rangeChunkBytes?: number;
  /** Default: nothing is compacted unless somebody asks. */
  readonly autoCompaction?: AutoCompaction;
  /** Take the NOSPACE alarm back when there is room again (default true); etcd leaves that to an operator. */
  readonly autoDisarm?: boolean;
}

/** How much of the past is kept. */
export type AutoCompaction =
  | { readonly mode: 'periodic'; readonly retentionMs: number }
  /** So many revisions, looked after every five minutes. */
  | { readonly mode: 'revision'; readonly retention: number };

export const serverDefaults = {
  name: 'default',
  clientUrl: 'http://localhost:2379',
  peerUrl: 'http://localhost:2380',
  initialClusterToken: 'etcd-cluster',
  heartbeatMs: 100,
  electionMs: 1000,
  maxElectionMs: 50_000,
  maxClockDrift: 0.01,
  quotaBytes: 2_147_483_648,
  maxRequestBytes: 1_572_864,
  maxTxnOps: 128,
  /** Of one connection. */
  maxConcurrentStreams: 65_536,
  maxLearners: 1,
  snapshotCatchUpEntries: 5000,
  watchProgressNotifyMs: 600_000,
  watchQueueBytes: 1_048_576,
} as const;

/** Reads "http://host:port" or "https://host:port". Throws ServerError `invalid-config` that names `what` and the fault. */
export function parseEndpointUrl(text: string, what: string): EndpointUrl {
  const fault = (why: string): ServerError => new ServerError('invalid-config', `${what}: ${JSON.stringify(text)} ${why}`);
  const match = /^([a-z]+):\/\/(\[[0-9a-fA-F:.%]+\]|[^:/?#[\]\s]+):(\d{1,5})\/?$/.exec(text);
  if (!match) throw fault('is not of the form http://HOST:PORT');
  const [, scheme, host, port] = match as unknown as [string, string, string, string];
  if (scheme === 'unix' || scheme === 'unixs')
    throw fault(`has the scheme ${scheme}, which this version does not serve: use http or https`);
  if (scheme !== 'http' && scheme !== 'https') throw fault(`has an unknown scheme: use http or https`);
  if (Number(port) > 65_535) throw fault(`has the port ${port}, above 65535`);
  return { text: text.replace(/\/$/, ''), host: host.replace(/^\[|\]$/g, ''), port: Number(port), isSecure: scheme === 'https' };
}

/** Reads a comma-separated list of URLs; at least one. */
export function parseEndpointUrls(text: string, what: string): EndpointUrl[] {
  return text.split(',').map((part) => parseEndpointUrl(part.trim(), what));
}

/** Reads "n1=http://host:port,n2=http://host:port"; a name that comes again adds a URL to that member. */
export function parseInitialCluster(text: string): InitialMember[] {
  const members = new Map<string, EndpointUrl[]>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at <= 0)
      throw new ServerError('invalid-config', `initial-cluster: ${JSON.stringify(part.trim())} is not of the form NAME=http://HOST:PORT`);
    const name = part.slice(0, at).trim();
    const urls = members.get(name) ?? [];
    urls.push(parseEndpointUrl(part.slice(at + 1).trim(), 'initial-cluster'));
    members.set(name, urls);
  }
  return [...members].map(([name, peerUrls]) => ({ name, peerUrls }));
}

/** Checks what concerns several settings at once. Throws ServerError `invalid-config`. */
export function checkConfig(config: ServerConfig): void {
  const fault = (message: string): never => {
    throw new ServerError('invalid-config', message);
  };
  checkTls(config);
  if (config.name === '' || config.name.includes('\0')) fault('name: a member needs a name');
  if (config.heartbeatMs < 1) fault(`heartbeat-interval: ${config.heartbeatMs} ms is too short, at least 1`);
  if (config.electionMs < 5 * config.heartbeatMs)
    fault(`election-timeout: ${config.electionMs} ms is too short, at least five heartbeats (5 × ${config.heartbeatMs} ms)`);
  if (config.electionMs > serverDefaults.maxElectionMs)
    fault(`election-timeout: ${config.electionMs} ms is too long, at most ${serverDefaults.maxElectionMs}`);
  const { maxDrift } = config.leaseReads ?? {};
  if (maxDrift !== undefined && !(maxDrift > 0 && maxDrift < 0.5))
    fault(
      `max-clock-drift: ${maxDrift} makes no sense: above 0, as no clock is exact, and below 0.5, as no lease would be left; 0.01 is plenty`,
    );
  const own = config.initialCluster.find((m) => m.name === config.name);
  if (!own) {
    const names = config.initialCluster.map((m) => m.name).join(', ');
    return fault(
      `initial-cluster: does not name this member ${JSON.stringify(config.name)} (it names ${names}): add it, or start with --name`,
    );
  }
  const listed = own.peerUrls.map((u) => u.text).sort();
  const advertised = config.initialAdvertisePeerUrls.map((u) => u.text).sort();
  if (listed.join() !== advertised.join())
    fault(
      `initial-cluster: says ${listed.join(',')} for ${config.name}, but initial-advertise-peer-urls says ${advertised.join(',')}: make them equal`,
    );
  if (config.rejoin === true && config.initialClusterState !== 'existing')
    fault('rejoin: goes with --initial-cluster-state existing: the cluster that this member comes back to is running');
  const seen = new Set<string>();
  for (const url of config.initialCluster.flatMap((m) => m.peerUrls.map((u) => u.text))) {
    if (seen.has(url)) fault(`initial-cluster: ${url} stands for two members`);
    seen.add(url);
  }
}

/** An https URL without a certificate could not be served; etcd says the same. */
function checkTls({ listenClientUrls, clientTls, listenPeerUrls, peerTls }: ServerConfig): void {
  const check = (urls: readonly EndpointUrl[], tls: TlsConfig | undefined, flag: string, prefix: string): void => {
    const secure = urls.find((url) => url.isSecure);
    if (secure !== undefined && tls === undefined)
      throw new ServerError(
        'invalid-config',
        `${flag}: ${secure.text} needs a certificate: say --${prefix}cert-file and --${prefix}key-file`,
      );
  };
  check(listenClientUrls, clientTls, 'listen-client-urls', '');
  check(listenPeerUrls, peerTls, 'listen-peer-urls', 'peer-');
}
