// Generated from proto/kv.proto by generator/main.mjs: change that and run `npm run generate`.
// What the store holds: key-value pairs and the events that change them. Wire-compatible with etcd's mvccpb.
import { messageType } from '../codec.ts';
import type { MessageType } from '../message.ts';
import * as codec from './kv.codec.ts';

/** Open: a number without a name here may come from a later version. */
export type EventType = number;
export const EventType: { readonly PUT: 0; readonly DELETE: 1 } = {
  PUT: 0,
  DELETE: 1,
};

/** One version of a key. */
export interface KeyValue {
  /** Never empty. */
  readonly key: Uint8Array;
  /** The revision at which the key came into being: since then it has not been deleted. */
  readonly createRevision: number;
  /** The revision of this version. */
  readonly modRevision: number;
  /** How many times the key was written since it came into being: 1 for a fresh key. */
  readonly version: number;
  readonly value: Uint8Array;
  /** The lease that takes the key along when it ends, or 0. */
  readonly lease: bigint;
}
export const KeyValue: MessageType<KeyValue> = messageType(
  'mvccpb.KeyValue',
  codec.createKeyValue,
  codec.readKeyValue,
  codec.writeKeyValue,
);

/** One change of one key. */
export interface Event {
  readonly type: EventType;
  /** After a put, the new version. After a delete, only its `key` and `mod_revision`, which is the revision of the delete. */
  readonly kv: KeyValue | undefined;
  /** The version before, if it was asked for and is still there. */
  readonly prevKv: KeyValue | undefined;
}
export const Event: MessageType<Event> = messageType('mvccpb.Event', codec.createEvent, codec.readEvent, codec.writeEvent);
