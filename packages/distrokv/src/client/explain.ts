// A failed call as one line for people.
import type { ClientError } from '@distrokv/client';

export function explain(error: ClientError): string {
  return error.message.replace(/\s+/g, ' ');
}

/** With what to do about it, for the last line of a command. */
export function advise(error: ClientError): string {
  if (error.code !== 'unreachable') return explain(error);
  if (error.message.includes('TLS')) return `cannot reach ${explain(error)}: see --cacert, --cert and --key`;
  return `cannot reach ${explain(error)}: start a server with "distrokv server", or name one with --endpoints HOST:PORT`;
}
