// The options of TLS, from our form to node:tls's.
import type { ConnectionOptions, TLSSocket, TlsOptions } from 'node:tls';
import { X509Certificate, constants } from 'node:crypto';
import { isIP } from 'node:net';
import type { ClientTls, ServerTls, TlsState } from '../net.ts';

/** What HTTP/2 asks of TLS (RFC 9113 §9.2): 1.2 at least, and that without renegotiation; compression is off anyway. */
const common = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const;

export function secureServerOptions(tls: ServerTls): TlsOptions {
  const { identity, clientCa, requireClientCertificate = clientCa !== undefined, protocols } = tls;
  return {
    cert: Buffer.from(identity.cert),
    key: Buffer.from(identity.key),
    ...(clientCa !== undefined && { ca: authorities(clientCa) }),
    requestCert: clientCa !== undefined || requireClientCertificate,
    rejectUnauthorized: requireClientCertificate,
    ALPNProtocols: [...protocols],
    ...common,
  };
}

export function clientTlsOptions(tls: ClientTls, host: string): ConnectionOptions {
  const { ca, identity, serverName, insecureSkipVerify = false, protocols } = tls;
  const name = serverName ?? host;
  return {
    ...(ca !== undefined && { ca: authorities(ca) }),
    ...(identity !== undefined && { cert: Buffer.from(identity.cert), key: Buffer.from(identity.key) }),
    // An address is no server name (RFC 6066 §3), though a certificate may be for one.
    ...(isIP(name) === 0 && { servername: name }),
    rejectUnauthorized: !insecureSkipVerify,
    ALPNProtocols: [...protocols],
    ...common,
  };
}

/** OpenSSL reads over what is no certificate, and then trusts nobody. Throws if there is none in `pem`, or one that cannot be read. */
function authorities(pem: Uint8Array): Buffer {
  const bytes = Buffer.from(pem);
  const found = bytes.toString('latin1').match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*-----/g);
  if (found === null) throw new Error('there is no certificate among the authorities');
  for (const certificate of found) new X509Certificate(certificate);
  return bytes;
}

export function tlsStateOf(socket: TLSSocket): TlsState {
  const { alpnProtocol } = socket;
  const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
  return {
    protocol: typeof alpnProtocol === 'string' ? alpnProtocol : undefined,
    // A certificate may bear several; the first counts, as with Go.
    peerCommonName: Array.isArray(name) ? name[0] : name,
  };
}
