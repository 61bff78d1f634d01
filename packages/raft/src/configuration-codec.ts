// A configuration as bytes: the data of a `config` entry, and of a proposal of one. Every number is a varint, ids are eight
// bytes, big-endian (docs/format/raft-log.md):
//   format (1) | count | count × (id | roles: 1 votes, 2 learns, 4 voted before the change, 8 is to vote | count | count × (length | address in UTF-8))
import { fromUtf8, memberId, utf8, VarintReader, varintLength, writeVarint } from '@distrokv/base';
import type { MemberId } from '@distrokv/base';
import { faultOf } from './configuration.ts';
import type { Configuration } from './configuration.ts';

const FORMAT = 1;
const VOTES = 1;
const LEARNS = 2;
const VOTED = 4;
const JOINS = 8;
/** More members than any cluster has; what claims to have more is damaged. */
const MAX_MEMBERS = 1000;

export function encodeConfiguration({ voters, learners, joining, outgoing, addresses }: Configuration): Uint8Array {
  const numbers = (n: number): Uint8Array => {
    const bytes = new Uint8Array(varintLength(n));
    writeVarint(bytes, 0, n);
    return bytes;
  };
  const parts: Uint8Array[] = [numbers(FORMAT), numbers(addresses.size)];
  for (const [id, places] of addresses) {
    const eight = new Uint8Array(8);
    new DataView(eight.buffer).setBigUint64(0, id);
    const bit = (list: readonly MemberId[], role: number): number => (list.includes(id) ? role : 0);
    const roles = bit(voters, VOTES) + bit(learners, LEARNS) + bit(outgoing, VOTED) + bit(joining, JOINS);
    parts.push(eight, numbers(roles), numbers(places.length));
    for (const place of places.map(utf8)) parts.push(numbers(place.length), place);
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Undefined for bytes that `encodeConfiguration` cannot have made of a configuration that holds its invariants. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  const reader = new VarintReader(bytes);
  const [format, count] = [reader.varint(), reader.varint()];
  if (format !== FORMAT || count > MAX_MEMBERS) return undefined;
  const [voters, learners, joining, outgoing]: [MemberId[], MemberId[], MemberId[], MemberId[]] = [[], [], [], []];
  const addresses = new Map<MemberId, readonly string[]>();
  for (let i = 0; i < count && reader.ok; i++) {
    const id = readId(reader);
    const roles = reader.varint();
    if (roles & VOTES) voters.push(id);
    if (roles & LEARNS) learners.push(id);
    if (roles & VOTED) outgoing.push(id);
    if (roles & JOINS) joining.push(id);
    const places = reader.varint();
    const texts: string[] = [];
    for (let n = 0; n < places && reader.ok; n++) texts.push(fromUtf8(reader.take(reader.varint())));
    if (addresses.has(id) || roles > (VOTES | LEARNS | VOTED | JOINS)) return undefined;
    addresses.set(id, texts);
  }
  if (!reader.ok || !reader.done) return undefined;
  const configuration = { voters, learners, joining, outgoing, addresses };
  return faultOf(configuration) === undefined ? configuration : undefined;
}

function readId(reader: VarintReader): MemberId {
  const bytes = reader.take(8);
  return memberId(bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) : 0n);
}
