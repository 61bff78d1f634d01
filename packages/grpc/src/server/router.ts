// Which handler serves a path.
import type { Method, Service } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import type { BidiStreamHandler, ClientStreamHandler, ServerStreamHandler, UnaryHandler } from '../types.ts';

export type AnyMethod = Method<unknown, unknown>;

export type Route =
  | { readonly kind: 'unary'; readonly method: AnyMethod; readonly handler: UnaryHandler<unknown, unknown> }
  | { readonly kind: 'server-stream'; readonly method: AnyMethod; readonly handler: ServerStreamHandler<unknown, unknown> }
  | { readonly kind: 'client-stream'; readonly method: AnyMethod; readonly handler: ClientStreamHandler<unknown, unknown> }
  | { readonly kind: 'bidi-stream'; readonly method: AnyMethod; readonly handler: BidiStreamHandler<unknown, unknown> };

export class Router {
  readonly #routes = new Map<string, Route>();
  readonly #services = new Set<string>();

  get services(): readonly string[] {
    return [...this.#services].sort();
  }

  /** `handlers` are by the names of the methods, each of its method's kind: the type of `Server.addService` has seen to it. */
  add(service: Service, handlers: Readonly<Record<string, unknown>>): void {
    this.#services.add(service.typeName);
    for (const [name, method] of Object.entries(service.methods)) {
      const handler = handlers[name];
      if (handler !== undefined) this.#routes.set(method.path, { kind: method.kind, method, handler } as Route);
    }
  }

  find(path: string): Route | undefined {
    return this.#routes.get(path);
  }

  /** What a caller of a path without a handler is told, in the words of Go's gRPC. */
  refusal(path: string): GrpcError {
    const slash = path.lastIndexOf('/');
    if (slash <= 0) return new GrpcError('unimplemented', `malformed method name: ${JSON.stringify(path)}`);
    const service = path.slice(path.startsWith('/') ? 1 : 0, slash);
    const method = path.slice(slash + 1);
    if (!this.#services.has(service)) return new GrpcError('unimplemented', `unknown service ${service}`);
    return new GrpcError('unimplemented', `unknown method ${method} for service ${service}`);
  }
}
