// Certificates as files, by etcd's flags. They are read again every few seconds, so that a renewed certificate is used without
// a restart: new connections are met with it, those that are there go on.
import { equalBytes, messageOf } from '@distrokv/base';
import type { ClientTls, Env, Logger, Timer } from '@distrokv/env';
import type { ListenTls } from '@distrokv/grpc';
import { ServerError } from './errors.ts';

const MAX_FILE_BYTES = 1 << 20;
const LOOK_EVERY_MS = 2000;

export interface TlsConfig {
  /** PEM: this member's certificate, with those between it and a trusted one. */
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM: who signs the certificates of the other side. With it, the other side must show one. */
  readonly trustedCaFile?: string;
  /** The other side must show a certificate, even if the host's own authorities are those that sign it. */
  readonly clientCertAuth: boolean;
}

interface Contents {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  readonly ca: Uint8Array | undefined;
}

export class TlsFiles {
  readonly #env: Env;
  readonly #config: TlsConfig;
  #contents: Contents;
  #watch: Timer | undefined;
  #looking = false;
  #toldWhy = '';

  private constructor(env: Env, config: TlsConfig, contents: Contents) {
    this.#env = env;
    this.#config = config;
    this.#contents = contents;
  }

  /** Throws ServerError `invalid-config` that names the file. */
  static async open(env: Env, config: TlsConfig): Promise<TlsFiles> {
    return new TlsFiles(env, config, await read(env, config));
  }

  /** For a listener. */
  get server(): ListenTls {
    const { cert, key, ca } = this.#contents;
    return {
      identity: { cert, key },
      ...(ca !== undefined && { clientCa: ca }),
      requireClientCertificate: ca !== undefined || this.#config.clientCertAuth,
    };
  }

  /** For a connection to another member. */
  get client(): Omit<ClientTls, 'protocols'> {
    const { cert, key, ca } = this.#contents;
    return { identity: { cert, key }, ...(ca !== undefined && { ca }) };
  }

  /** Calls `onChange` when the files have changed; if it throws, the files before stay in use. */
  watch(logger: Logger, onChange: () => void): void {
    this.#watch = this.#env.timers.every(LOOK_EVERY_MS, () => void this.#look(logger, onChange));
  }

  close(): void {
    this.#watch?.cancel();
  }

  async #look(logger: Logger, onChange: () => void): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const before = this.#contents;
    try {
      const now = await read(this.#env, this.#config);
      if (same(before, now)) return;
      this.#contents = now;
      onChange();
      this.#toldWhy = '';
      logger.info('certificates were renewed', { file: this.#config.certFile });
    } catch (error) {
      this.#contents = before;
      // Half-written files are common while they are renewed, and the next look will find them whole.
      const why = messageOf(error);
      if (why !== this.#toldWhy) logger.warn('certificates cannot be renewed; those before stay in use', { reason: why });
      this.#toldWhy = why;
    } finally {
      this.#looking = false;
    }
  }
}

async function read(env: Env, { certFile, keyFile, trustedCaFile }: TlsConfig): Promise<Contents> {
  const file = async (path: string): Promise<Uint8Array> => {
    try {
      return await env.fs.readFile(path, MAX_FILE_BYTES);
    } catch (cause) {
      throw new ServerError('invalid-config', `a TLS file cannot be read: ${messageOf(cause)}`, { cause });
    }
  };
  const [cert, key, ca] = await Promise.all([file(certFile), file(keyFile), trustedCaFile === undefined ? undefined : file(trustedCaFile)]);
  return { cert, key, ca };
}

function same(a: Contents, b: Contents): boolean {
  const sameCa = a.ca === undefined ? b.ca === undefined : b.ca !== undefined && equalBytes(a.ca, b.ca);
  return sameCa && equalBytes(a.cert, b.cert) && equalBytes(a.key, b.key);
}
