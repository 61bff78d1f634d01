// Joins the generated functions of a message to its MessageType.
import type { MessageType } from './message.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Serves every encoding: they never overlap. */
const writer = new Writer();

/** `read` reads fields up to `end` over those of `before`: so a message that comes in pieces is merged, as protobuf says. */
export function messageType<T>(
  typeName: string,
  create: (fields: Partial<T>) => T,
  read: (r: Reader, end: number, before: T) => T,
  write: (w: Writer, m: T) => void,
): MessageType<T> {
  const empty = create({});
  return {
    typeName,
    create: (fields = {}) => create(fields),
    encode(message, headroom = 0, allocate) {
      writer.start();
      write(writer, message);
      return writer.finish(headroom, allocate);
    },
    decode(bytes, given = false) {
      return read(new Reader(bytes, given), bytes.length, empty);
    },
  };
}

/** The defaults of repeated fields and maps, shared by all messages that have none. */
export const noItems: readonly never[] = Object.freeze([]);
export const noEntries: ReadonlyMap<never, never> = new Map<never, never>();
