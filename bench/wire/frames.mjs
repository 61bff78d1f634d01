// Bytes of HTTP/2 for clients that are as light as can be, or mean harm.

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export function frame(type, flags, stream, payload) {
  const out = Buffer.alloc(9 + payload.length);
  out.writeUIntBE(payload.length, 0, 3);
  out[3] = type;
  out[4] = flags;
  out.writeUInt32BE(stream, 5);
  payload.copy(out, 9);
  return out;
}

/** A field of a header block, which touches no table (RFC 7541 §6.2.2). */
export function literal(name, value) {
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
}

/** The header block of a call by gRPC. */
export function requestBlock(path) {
  const fields = { ':method': 'POST', ':scheme': 'http', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));
}
