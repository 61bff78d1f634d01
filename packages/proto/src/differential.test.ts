// Every message against @bufbuild/protobuf, which learns the types from the descriptors that server reflection hands out: so
// these are tested, too. (messages.test.ts does the same with protobufjs, from the .proto files.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFileRegistry, fromBinary, toBinary, type DescMessage, type FileRegistry, type Registry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { hex, seededRandom } from '@distrokv/base';
import * as proto from './index.ts';
import type { MessageType, Service } from './message.ts';
import { loadRoot, MessageMaker, messageTypes } from './testing/random-message.ts';

const SEED = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
const SCALE = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);

const groups = [proto.authpb, proto.etcdserverpb, proto.health, proto.kvservice, proto.mvccpb, proto.peer, proto.reflection];
const items = groups.flatMap((group) => Object.values(group) as unknown[]).filter((item) => typeof item === 'object' && item !== null);

const files = proto.fileDescriptors.map(({ base64 }) => fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, 'base64')));

/** Files in the order in which they import each other. */
function registryOf(): FileRegistry {
  const ordered: typeof files = [];
  while (ordered.length < files.length) {
    const next = files.find(
      (file) => !ordered.includes(file) && file.dependency.every((name) => ordered.some((done) => done.name === name)),
    );
    assert.ok(next, 'imports lead nowhere');
    ordered.push(next);
  }
  return createFileRegistry(create(FileDescriptorSetSchema, { file: ordered }));
}

const registry: Registry = registryOf();

test('the descriptors name every message, enum, service and method, and what each file imports', () => {
  for (const [i, file] of files.entries()) {
    const descriptor = proto.fileDescriptors[i];
    assert.equal(file.name, descriptor?.name);
    assert.equal(file.syntax, 'proto3');
    assert.deepEqual(file.dependency, descriptor?.imports);
    const symbols = [
      ...file.messageType.flatMap((message) => [message.name, ...message.enumType.map((each) => `${message.name}.${each.name}`)]),
      ...file.enumType.map((each) => each.name),
      ...file.service.flatMap((service) => [service.name, ...service.method.map((method) => `${service.name}.${method.name}`)]),
    ].map((name) => `${file.package}.${name}`);
    assert.deepEqual([...(descriptor?.symbols ?? [])].sort(), symbols.sort());
  }
});

test('the descriptors tell the services as they are generated', () => {
  const services = items.filter((item): item is Service => 'methods' in (item as object));
  assert.ok(services.length >= 9, `${services.length} services`);
  for (const { typeName, methods } of services) {
    const described = registry.getService(typeName);
    assert.ok(described, typeName);
    const kinds = { unary: 'unary', server_streaming: 'server-stream', client_streaming: 'client-stream', bidi_streaming: 'bidi-stream' };
    const told = described.methods.map((method) => [
      `/${typeName}/${method.name}`,
      kinds[method.methodKind],
      method.input.typeName,
      method.output.typeName,
    ]);
    const ours = Object.values(methods).map(({ path, kind, request, response }) => [path, kind, request.typeName, response.typeName]);
    assert.deepEqual(ours, told);
  }
});

test('what we encode they decode, and what they encode we decode', () => {
  const ofName = new Map<string, MessageType<unknown>>();
  for (const item of items)
    if ('decode' in (item as object)) ofName.set((item as MessageType<unknown>).typeName, item as MessageType<unknown>);
  messageTypes(loadRoot()).forEach((type, i) => {
    const name = type.fullName.slice(1);
    const ours = ofName.get(name) as MessageType<unknown>;
    const theirs = registry.getMessage(name) as DescMessage;
    const maker = new MessageMaker(seededRandom(SEED * 5000 + i));
    for (let n = 0; n < 20 * SCALE; n++) {
      const message = ours.create(maker.message(type).ours);
      const bytes = ours.encode(message);
      const again = toBinary(theirs, fromBinary(theirs, bytes));
      assert.deepEqual(ours.decode(again), message, `${name}, message ${n} of DISTROKV_TEST_SEED=${SEED}: ${hex(bytes)}`);
    }
  });
});

test('a message behind headroom is the same message', () => {
  const { PutRequest } = proto.etcdserverpb;
  for (const size of [0, 10, 100, 5000, 100_000]) {
    const request = PutRequest.create({ key: new Uint8Array(size).fill(7) });
    assert.deepEqual(PutRequest.encode(request, 5).subarray(5), PutRequest.encode(request));
  }
});
