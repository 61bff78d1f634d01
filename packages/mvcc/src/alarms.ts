// Alarms: what is wrong with a member so that the whole cluster must heed it. They go through the log, so all members refuse the same commands.
import { utf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { StoreError } from './errors.ts';
import type { StoreKeyspaces } from './keyspaces.ts';

const PREFIX = utf8('alarm/');

export class Alarms {
  readonly #spaces: StoreKeyspaces;
  readonly #active: pb.AlarmMember[] = [];

  constructor(spaces: StoreKeyspaces) {
    this.#spaces = spaces;
    const records = spaces.meta.iterator({ prefix: PREFIX });
    try {
      while (records.next()) this.#active.push(decodeKey(records.key));
    } finally {
      records.close();
    }
  }

  /** Is there one of this type, on any member? */
  has(alarm: pb.AlarmType): boolean {
    // Every put asks, and nearly always there is none.
    return this.#active.length > 0 && this.#active.some((one) => one.alarm === alarm);
  }

  hasOwn(memberID: bigint, alarm: pb.AlarmType): boolean {
    return this.#active.some((one) => one.alarm === alarm && one.memberID === memberID);
  }

  /** Those of a type; NONE: all. */
  list(alarm: pb.AlarmType): pb.AlarmMember[] {
    return this.#active.filter((one) => alarm === pb.AlarmType.NONE || one.alarm === alarm);
  }

  /** The alarms that the request speaks of, after it, as etcd answers it. */
  handle({ action, memberID, alarm }: pb.AlarmRequest): pb.AlarmMember[] {
    switch (action) {
      case pb.AlarmAction.GET:
        return this.list(alarm);
      case pb.AlarmAction.ACTIVATE: {
        if (alarm === pb.AlarmType.NONE) return [];
        const told = { memberID, alarm };
        if (!this.hasOwn(memberID, alarm)) {
          this.#active.push(told);
          this.#spaces.writer.put(this.#spaces.meta, encodeKey(told), new Uint8Array(0));
        }
        return [told];
      }
      case pb.AlarmAction.DEACTIVATE: {
        const at = this.#active.findIndex((one) => one.alarm === alarm && one.memberID === memberID);
        if (at < 0) return [];
        const gone = this.#active.splice(at, 1);
        for (const one of gone) this.#spaces.writer.delete(this.#spaces.meta, encodeKey(one));
        return gone;
      }
      default:
        return [];
    }
  }
}

/** The prefix, the type (4 bytes) and the member's id (8 bytes), both big-endian. */
function encodeKey({ memberID, alarm }: pb.AlarmMember): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32BE(alarm, 0);
  bytes.writeBigUInt64BE(memberID, 4);
  return Buffer.concat([PREFIX, bytes]);
}

function decodeKey(key: Uint8Array): pb.AlarmMember {
  if (key.length !== PREFIX.length + 12) throw new StoreError('corrupt', 'the store holds an alarm that does not decode');
  const bytes = Buffer.from(key.subarray(PREFIX.length));
  return { alarm: bytes.readInt32BE(0), memberID: bytes.readBigUInt64BE(4) };
}
