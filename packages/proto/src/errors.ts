import { CodedError } from '@distrokv/base';

/**
 * Why bytes are not a message: `malformed` (no protobuf, or not of this type), `too-deep` (nested beyond `MAX_DEPTH`),
 * `too-large` (beyond `MAX_MESSAGE_BYTES`).
 */
export type ProtoErrorCode = 'malformed' | 'too-deep' | 'too-large';

/** Bytes that are no message; or, with `too-large`, a message that has no bytes. */
export class ProtoError extends CodedError<ProtoErrorCode> {}

/** What any implementation of protobuf takes: 2 GiB - 1. */
export const MAX_MESSAGE_BYTES: number = 0x7fff_ffff;

/** Messages within messages, beyond which decoding refuses to go: what other implementations have, too. */
export const MAX_DEPTH = 100;
