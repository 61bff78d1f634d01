// Bytes of HTTP/2 as those send them who mean harm.

/** What a client begins with: the preface and empty SETTINGS. */
export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

export function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** A field block of literals that touch no table (RFC 7541 §6.2.2). */
export function literals(fields: Readonly<Record<string, string>>): Buffer {
  const text = (each: string): Buffer => Buffer.concat([Buffer.of(each.length), Buffer.from(each)]);
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** The field block of a call. */
export function requestTo(path: string): Buffer {
  return literals({ ':method': 'POST', ':scheme': 'http', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
}
