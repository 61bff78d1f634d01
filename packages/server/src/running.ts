// The public face of a running member.
import type { ClusterId, MemberId } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import type { ServerConfig } from './config.ts';

export interface StartOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
}

export interface RunningServer {
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  /** Where clients are served, ports filled in. */
  readonly clientAddresses: readonly string[];
  /** Resolves when this member has joined the cluster and linearizable requests are served. */
  readonly ready: Promise<void>;
  /** Resolves when the server has stopped: undefined after `stop`, the error after a failure that it must not survive. */
  readonly stopped: Promise<Error | undefined>;
  /** Graceful: no new calls, open ones finish or are cut after `graceMs` (default 2000), memory is flushed, files are closed, the lock is released. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}
