import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberId, seededRandom } from '@distrokv/base';
import { PlainPut, decodeCommand } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type ProposalMark, ProposalReader, ProposalWriter } from './proposal-codec.ts';

const writer = new ProposalWriter();

interface Proposal extends ProposalMark {
  readonly commands: readonly Uint8Array[];
}

function encodeProposal(proposal: Proposal): Uint8Array {
  writer.begin(proposal);
  for (const command of proposal.commands) writer.add(command);
  return writer.finish();
}

function read(data: Uint8Array): { readonly mark: readonly unknown[]; readonly commands: readonly string[] } {
  const reader = new ProposalReader(data);
  const commands: string[] = [];
  while (reader.next()) commands.push(Buffer.from(data.subarray(reader.start, reader.end)).toString('hex'));
  assert.equal(reader.count, commands.length);
  assert.equal(reader.next(), false, 'the end stays the end');
  return { mark: [reader.origin, reader.session, reader.sequence], commands };
}

test('a proposal reads back, command by command', () => {
  const random = seededRandom(1);
  for (let i = 0; i < 200; i++) {
    const commands = Array.from({ length: random.below(20) }, () => random.bytes(random.below(random.chance(0.1) ? 20_000 : 200)));
    const proposal = { origin: memberId(BigInt(i) + 2n ** 63n), session: random.uint32(), sequence: i * 1000, commands };
    const { mark, commands: found } = read(encodeProposal(proposal));
    assert.deepEqual(mark, [proposal.origin, proposal.session, proposal.sequence]);
    assert.deepEqual(
      found,
      commands.map((bytes) => Buffer.from(bytes).toString('hex')),
    );
  }
});

test('a proposal that is cut off, or whose lengths lie, is refused before its first command', () => {
  const random = seededRandom(2);
  const whole = encodeProposal({ origin: memberId(1n), session: 1, sequence: 1, commands: [random.bytes(50), random.bytes(300)] });
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    // At the end of a command a shorter proposal is as good as another.
    if (length === 13 || length === 13 + 1 + 50) assert.ok(read(cut).commands.length < 2);
    else assert.throws(() => new ProposalReader(cut), { code: 'corrupt' }, `${length} bytes`);
  }
  assert.throws(() => new ProposalReader(Buffer.concat([whole.subarray(0, 13), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])])), {
    code: 'corrupt',
  });
});

test('a put goes from the request into a proposal as a command, between others', () => {
  const random = seededRandom(3);
  const put = new PlainPut();
  for (let i = 0; i < 200; i++) {
    const request = pb.PutRequest.create({ key: random.bytes(1 + random.below(64)), value: random.bytes(1 + random.below(70_000)) });
    const inside = Buffer.concat([random.bytes(3), pb.PutRequest.encode(request), random.bytes(3)]);
    const isPlain = put.readRequest(inside, 3, inside.length - 3);
    assert.ok(isPlain);
    const others = [random.bytes(random.below(100)), random.bytes(random.below(100))] as const;
    writer.begin({ origin: memberId(1n), session: 1, sequence: i });
    writer.add(others[0]);
    writer.addPut(put);
    writer.add(others[1]);
    const data = writer.finish();
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const { commands } = read(data);
    assert.deepEqual([commands[0], commands[2], commands.length], [hex(others[0]), hex(others[1]), 3]);
    const found = decodeCommand(Buffer.from(commands[1] as string, 'hex'));
    assert.ok(found.kind === 'put');
    assert.deepEqual([hex(found.request.key), hex(found.request.value)], [hex(request.key), hex(request.value)]);
  }
});
