// The server, carried by grpc-js.
import * as grpc from '@grpc/grpc-js';
import { messageOf } from '@distrokv/base';
import { createNodeEnv, type Timers } from '@distrokv/env';
import type { Method, Service } from '@distrokv/proto';
import { GrpcError, type StatusName } from '../status.ts';
import type {
  BidiStreamHandler,
  ClientStreamHandler,
  Handlers,
  Server,
  ServerOptions,
  ServerStreamHandler,
  UnaryHandler,
} from '../types.ts';
import { asBuffer, asIs, decodeRequest } from './bytes.ts';
import { StreamCall, UnaryCall, type StreamCarrier, type UnaryCarrier } from './server-call.ts';
import { statusOf, type CarrierStatus } from './status.ts';

const DEFAULT_MAX_RECEIVE_BYTES = 4 << 20;
const DEFAULT_GRACE_MS = 1000;

/** What turns a thrown value into the status of the call. */
type Blame = (thrown: unknown, path: string) => CarrierStatus;

/** A server that has no services and listens nowhere yet. */
export function createServer(options: ServerOptions = {}): Server {
  return new GrpcJsServer(options);
}

class GrpcJsServer implements Server {
  readonly #server: grpc.Server;
  readonly #timers = createNodeEnv().timers;
  readonly #blame: Blame;
  #closed: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    // What it would log is told to whoever calls.
    grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    this.#server = new grpc.Server({
      'grpc.max_receive_message_length': options.maxReceiveBytes ?? DEFAULT_MAX_RECEIVE_BYTES,
      'grpc.max_send_message_length': -1,
      // A connection whose other end has vanished is noticed at last: etcd's times.
      'grpc.keepalive_time_ms': 7_200_000,
      'grpc.keepalive_timeout_ms': 20_000,
    });
    this.#blame = (thrown, path) => {
      if (thrown instanceof GrpcError) return statusOf(thrown);
      options.onUnexpectedError?.(thrown, path);
      return statusOf(new GrpcError('unknown', messageOf(thrown)));
    };
  }

  addService<S extends { readonly typeName: string; readonly methods: object }>(service: S, handlers: Handlers<S>): void {
    const methods = Object.entries(service.methods as Service['methods']);
    for (const [name, method] of methods) {
      const handler = (handlers as Readonly<Record<string, unknown>>)[name];
      if (handler !== undefined) this.#add(method, handler);
    }
  }

  /** `handler` is the one for `method`'s kind: the type of `addService` has seen to it. */
  #add(method: Method<unknown, unknown>, handler: unknown): void {
    const blame = this.#blame;
    if (method.kind === 'unary') {
      this.#server.register(method.path, serveUnary(method, handler as UnaryHandler<unknown, unknown>, blame), asIs, asIs, 'unary');
    } else {
      this.#server.register(method.path, serveStream(method, runStream(method, handler), blame, this.#timers), asIs, asIs, 'bidi');
    }
  }

  async listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }> {
    const where = hostAndPort(address.host, address.port);
    if (this.#closed !== undefined) throw new GrpcError('failed-precondition', `cannot listen on ${where}: the server is closed`);
    // Of the two addresses that this name may have, one could be taken and nobody be told; Go's listeners choose this one.
    const host = address.host === 'localhost' ? '127.0.0.1' : address.host;
    const bound = new Promise<number>((done, reject) => {
      this.#server.bindAsync(hostAndPort(host, address.port), grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) done(port);
        else reject(error);
      });
    });
    try {
      return { port: await bound };
    } catch (cause) {
      throw bindError(cause, where);
    }
  }

  close({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= new Promise((done) => {
      const cut = this.#timers.after(graceMs, () => this.#server.forceShutdown());
      this.#server.tryShutdown(() => {
        cut.cancel();
        done();
      });
    });
    return this.#closed;
  }
}

function serveUnary<Request, Response>(
  method: Method<Request, Response>,
  handler: UnaryHandler<Request, Response>,
  blame: Blame,
): grpc.handleUnaryCall<Buffer, Buffer> {
  return (carrier: UnaryCarrier, respond: grpc.sendUnaryData<Buffer>) => {
    const call = new UnaryCall(carrier);
    const fail = (thrown: unknown): void => {
      call.answered();
      respond(blame(thrown, method.path));
    };
    const succeed = (response: Response): void => {
      const bytes = asBuffer(method.response.encode(response));
      call.answered();
      respond(null, bytes);
    };
    try {
      const result = handler(decodeRequest(method.request, carrier.request), call);
      // A handler that has its answer at once gets it sent in the same turn.
      if (result instanceof Promise) result.then(succeed).catch(fail);
      else succeed(result);
    } catch (thrown) {
      fail(thrown);
    }
  };
}

/** All kinds of streams are served as the most general one, which is the same on the wire. */
function serveStream<Request, Response>(
  method: Method<Request, Response>,
  run: (call: StreamCall<Request, Response>) => Promise<void>,
  blame: Blame,
  timers: Timers,
): grpc.handleBidiStreamingCall<Buffer, Buffer> {
  return (carrier: StreamCarrier) => {
    const call = new StreamCall(carrier, method, timers);
    run(call).then(
      () => call.end(undefined),
      (thrown: unknown) => call.end(blame(thrown, method.path)),
    );
  };
}

function runStream<Request, Response>(
  method: Method<Request, Response>,
  handler: unknown,
): (call: StreamCall<Request, Response>) => Promise<void> {
  if (method.kind === 'bidi-stream') return async (call) => (handler as BidiStreamHandler<Request, Response>)(call);
  if (method.kind === 'client-stream') {
    return async (call) => {
      call.send(await (handler as ClientStreamHandler<Request, Response>)(call));
    };
  }
  return async (call) => {
    const { done, value } = await call.requests.next();
    if (done === true) throw new GrpcError('unimplemented', `${method.path} takes one request, and got none`);
    await (handler as ServerStreamHandler<Request, Response>)(value, call);
  };
}

const hostAndPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

const BIND_ERRORS: readonly (readonly [errno: string, code: StatusName, text: string])[] = [
  ['EADDRINUSE', 'unavailable', 'the address is in use'],
  ['EADDRNOTAVAIL', 'unavailable', 'not an address of this machine'],
  ['EACCES', 'permission-denied', 'not permitted'],
];

/** grpc-js puts the system's error into its message. */
function bindError(cause: unknown, where: string): GrpcError {
  const message = messageOf(cause);
  const [, code, text] = BIND_ERRORS.find(([errno]) => message.includes(errno)) ?? ['', 'unavailable', message];
  return new GrpcError(code, `cannot listen on ${where}: ${text}`, { cause });
}
