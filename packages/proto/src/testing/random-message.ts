// Random messages of any type, made from the .proto files as protobufjs reads them: so that the tests know the types
// from another source than the generated code. Each message comes in both forms.
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Random } from '@distrokv/base';

const folder = fileURLToPath(new URL('../../proto/', import.meta.url));

export const FILES = ['rpc.proto', 'kvservice.proto', 'health.proto', 'peer.proto', 'reflection.proto'] as const;

export function loadRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => folder + target;
  root.loadSync([...FILES], { keepCase: true });
  root.resolveAll();
  return root;
}

/** Every message type of the files by its full name, maps' entries apart. */
export function messageTypes(within: protobuf.NamespaceBase): protobuf.Type[] {
  return within.nestedArray.flatMap((nested) => {
    if (!(nested instanceof protobuf.Namespace)) return [];
    return nested instanceof protobuf.Type ? [nested, ...messageTypes(nested)] : messageTypes(nested);
  });
}

/** A value in the form of the generated code, and in the form that protobufjs takes. */
interface Both {
  readonly ours: unknown;
  readonly theirs: unknown;
}

const SIGNED_EDGES = [0n, 1n, -1n, 127n, 128n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 35n - 1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n];
const WIDE_EDGES = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 56n, -(2n ** 53n)];

export class MessageMaker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  message(type: protobuf.Type, depth = 0): { readonly ours: Record<string, unknown>; readonly theirs: Record<string, unknown> } {
    const ours: Record<string, unknown> = {};
    const theirs: Record<string, unknown> = {};
    for (const oneof of type.oneofsArray) this.#oneof(oneof, ours, theirs, depth);
    for (const field of type.fieldsArray) {
      if (field.partOf !== null) continue;
      const value = this.#field(field, depth);
      ours[camel(field.name)] = value.ours;
      if (value.theirs !== undefined) theirs[field.name] = value.theirs;
    }
    return { ours, theirs };
  }

  #oneof(oneof: protobuf.OneOf, ours: Record<string, unknown>, theirs: Record<string, unknown>, depth: number): void {
    const pick = this.#random.below(oneof.fieldsArray.length + 1);
    const field = oneof.fieldsArray[pick];
    ours[camel(oneof.name)] = undefined;
    if (field === undefined || (field.resolvedType instanceof protobuf.Type && depth > 4)) return;
    const value = this.#value(field, depth);
    ours[camel(oneof.name)] = { case: camel(field.name), value: value.ours };
    theirs[field.name] = value.theirs;
  }

  #field(field: protobuf.Field, depth: number): Both {
    if (field instanceof protobuf.MapField) {
      const entries = Array.from({ length: this.#count(depth) }, () => [this.#text(), this.#value(field, depth)] as const);
      const [ours, theirs] = [new Map(entries.map(([k, v]) => [k, v.ours])), Object.fromEntries(entries.map(([k, v]) => [k, v.theirs]))];
      return { ours, theirs };
    }
    if (field.repeated) {
      const values = Array.from({ length: this.#count(depth) }, () => this.#value(field, depth));
      return { ours: values.map((v) => v.ours), theirs: values.map((v) => v.theirs) };
    }
    if (field.resolvedType instanceof protobuf.Type && (depth > 4 || this.#random.chance(0.3)))
      return { ours: undefined, theirs: undefined };
    return this.#value(field, depth);
  }

  #count(depth: number): number {
    return depth > 3 ? 0 : this.#random.below(4);
  }

  #value(field: protobuf.Field, depth: number): Both {
    if (field.resolvedType instanceof protobuf.Type) return this.message(field.resolvedType, depth + 1);
    if (field.resolvedType instanceof protobuf.Enum)
      return same(this.#random.chance(0.1) ? -this.#random.below(1000) : this.#random.below(6));
    switch (field.type) {
      case 'bool':
        return same(this.#random.chance(0.5));
      case 'string':
        return same(this.#text());
      case 'bytes': {
        const bytes = this.#random.bytes(this.#random.chance(0.05) ? this.#random.below(5000) : this.#random.below(70));
        return { ours: bytes, theirs: bytes };
      }
      case 'int32':
        return same((this.#random.uint32() | 0) >> this.#random.below(32));
      case 'uint32':
        return same(this.#random.uint32() >>> this.#random.below(32));
      case 'int64':
      case 'uint64':
        return this.#wide(field);
      default:
        throw new Error(`no random ${field.type}`);
    }
  }

  #wide(field: protobuf.Field): Both {
    const isNumber = field.options?.['jstype'] === 'JS_NUMBER';
    const edges = isNumber ? SIGNED_EDGES : [...SIGNED_EDGES, ...WIDE_EDGES];
    let value = edges[this.#random.below(edges.length)] as bigint;
    if (this.#random.chance(0.5)) value = BigInt(this.#random.uint32()) << BigInt(this.#random.below(isNumber ? 21 : 31));
    if (field.type === 'uint64') value = isNumber && value < 0n ? -value : BigInt.asUintN(64, value);
    const bits = BigInt.asUintN(64, value);
    const wide = new protobuf.util.LongBits(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    return { ours: isNumber ? Number(value) : value, theirs: wide.toLong(field.type === 'uint64') };
  }

  #text(): string {
    const pieces = ['', 'a', 'foo/bar', 'ä', '→', '😀', '\0', '﻿'];
    return Array.from({ length: this.#random.below(6) }, () => pieces[this.#random.below(pieces.length)] as string).join('');
  }
}

function same(value: unknown): Both {
  return { ours: value, theirs: value };
}

/** As the generator names fields; told again, since a test should not take it from there. */
export function camel(name: string): string {
  if (name === name.toUpperCase()) return name.toLowerCase();
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
