// The client's side: a channel to one target, carried by grpc-js.
import * as grpc from '@grpc/grpc-js';
import { createNodeEnv, type Clock } from '@distrokv/env';
import type { Method } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import type { CallOptions, Channel, ChannelOptions, ClientStream } from '../types.ts';
import { asBuffer, asIs, decodeResponse } from './bytes.ts';
import { OutgoingStream } from './client-stream.ts';
import { metadataToSend } from './metadata.ts';
import { errorOf } from './status.ts';

const DEFAULT_MAX_RECONNECT_MS = 1000;
const MIN_RECONNECT_MS = 100;

/** A channel to "host:port". It connects when the first call is made, and again whenever it must. */
export function createChannel(target: string, options: ChannelOptions = {}): Channel {
  return new GrpcJsChannel(target, options);
}

class GrpcJsChannel implements Channel {
  readonly target: string;
  readonly #client: grpc.Client;
  readonly #clock: Clock = createNodeEnv().clock;
  /** Cancels the calls under way. */
  readonly #cancels = new Set<() => void>();
  #closed = false;

  constructor(target: string, options: ChannelOptions) {
    // What it would log is told to whoever calls.
    grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    const maxReconnectMs = options.maxReconnectMs ?? DEFAULT_MAX_RECONNECT_MS;
    this.target = target;
    this.#client = new grpc.Client(target, grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': options.maxReceiveBytes ?? -1,
      'grpc.max_send_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': Math.min(MIN_RECONNECT_MS, maxReconnectMs),
      'grpc.max_reconnect_backoff_ms': maxReconnectMs,
      // Notices a server that vanished without a word; etcd accepts pings from every 5 s on.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      // A channel is a connection of its own, straight to its target, and whoever calls decides about retries.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
    });
  }

  unary<Request, Response>(method: Method<Request, Response, 'unary'>, request: Request, options: CallOptions = {}): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#refuse(options);
      const bytes = asBuffer(method.request.encode(request));
      const call = this.#client.makeUnaryRequest(
        method.path,
        asIs,
        asIs,
        bytes,
        this.#metadata(options),
        this.#timing(options),
        (error, response) => {
          release();
          if (error !== null) reject(errorOf(error));
          else {
            try {
              resolve(decodeResponse(method.response, response as Buffer));
            } catch (thrown) {
              reject(thrown as GrpcError);
            }
          }
        },
      );
      const release = this.#hold(() => call.cancel(), options.signal);
    });
  }

  stream<Request, Response>(
    method: Method<Request, Response, 'bidi-stream' | 'client-stream' | 'server-stream'>,
    options: CallOptions = {},
  ): ClientStream<Request, Response> {
    this.#refuse(options);
    const carrier = this.#client.makeBidiStreamRequest(method.path, asIs, asIs, this.#metadata(options), this.#timing(options));
    const release = this.#hold(() => carrier.cancel(), options.signal);
    return new OutgoingStream(carrier, method, release);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of [...this.#cancels]) cancel();
    this.#client.close();
  }

  /** Throws for a call that need not be started. */
  #refuse({ signal }: CallOptions): void {
    if (this.#closed) throw new GrpcError('unavailable', `the channel to ${this.target} is closed`);
    if (signal?.aborted === true) throw new GrpcError('cancelled', 'the call was cancelled', { cause: signal.reason });
  }

  /** Lets `cancel` be called by `close` and by the caller's signal, until the returned function is called. */
  #hold(cancel: () => void, signal: AbortSignal | undefined): () => void {
    this.#cancels.add(cancel);
    signal?.addEventListener('abort', cancel);
    return () => {
      this.#cancels.delete(cancel);
      signal?.removeEventListener('abort', cancel);
    };
  }

  #metadata({ metadata, waitForReady }: CallOptions): grpc.Metadata {
    return metadataToSend(metadata, waitForReady);
  }

  #timing({ timeoutMs }: CallOptions): grpc.CallOptions {
    return timeoutMs === undefined ? {} : { deadline: this.#clock.wallMs() + timeoutMs };
  }
}
