// What generated code is made of. A message is a plain object; its `MessageType` makes, writes and reads it.

/** Gives memory for a message of so many bytes, headroom included; undefined for fresh memory. */
export type Allocate = (bytes: number) => Uint8Array | undefined;

/** Reads and writes one message type in protobuf's binary form. */
export interface MessageType<T> {
  /** Full protobuf name, as "etcdserverpb.PutRequest". */
  readonly typeName: string;
  /** A message with every field at its proto3 default, but for those given. */
  create(fields?: Partial<T>): T;
  /**
   * The message behind `headroom` bytes (default 0) that are the caller's to fill: what goes in front of it needs no second
   * copy. Throws ProtoError `too-large` on a message of 2 GiB or more. `allocate` may give the bytes that are written to,
   * of exactly the length that it is told.
   */
  encode(message: T, headroom?: number, allocate?: Allocate): Uint8Array;
  /**
   * Throws ProtoError on anything that is not this message within the limits on depth and size. Unknown fields are
   * skipped. Bytes are copied, but for a field that is most of the message when `given` says that nobody else needs `bytes`. A 64-bit field that is a number here saturates at ±(2^53 - 1).
   */
  decode(bytes: Uint8Array, given?: boolean): T;
}

export type MethodKind = 'unary' | 'client-stream' | 'server-stream' | 'bidi-stream';

export interface Method<Request, Response, Kind extends MethodKind = MethodKind> {
  /** As on the wire: "/etcdserverpb.KV/Put". */
  readonly path: string;
  readonly kind: Kind;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

/** What every generated service is; each gives its methods' own types. */
export interface Service {
  /** Full protobuf name: "etcdserverpb.KV". */
  readonly typeName: string;
  /** By lowerCamelCase name. */
  readonly methods: Readonly<Record<string, Method<unknown, unknown>>>;
}
