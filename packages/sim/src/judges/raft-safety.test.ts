// The judge of Raft's properties, held to logs that are told and not run.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memberId } from '@distrokv/base';
import type { RaftStatus, Role } from '@distrokv/raft';
import type { Storage } from '@distrokv/server';
import { RaftJudge } from './raft-safety.ts';

/** What the judge reads of a member: the terms of its log, from index 1 on, and how far it has applied. */
function member(terms: readonly number[], applied: number): Storage {
  const log = { firstIndex: () => 1, termAt: (index: number) => (index === 0 ? 0 : terms[index - 1]) };
  return { log, store: { state: { appliedIndex: applied, revision: applied + 1 } } } as unknown as Storage;
}

function status(id: number, role: Role, term: number, applied: number): RaftStatus {
  return { id: memberId(BigInt(id)), role, term, applied } as RaftStatus;
}

describe('leader completeness', () => {
  const committing = member([1, 1], 2);
  const behind = member([1], 1);

  function judgeAfterCommit(inTerm: number): RaftJudge {
    const judge = new RaftJudge();
    judge.started(0, committing);
    judge.started(1, behind);
    judge.observe(0, status(1, 'leader', inTerm, 2), committing);
    return judge;
  }

  test('a leader lacks an entry that an earlier term committed', () => {
    const judge = judgeAfterCommit(1);
    assert.throws(() => judge.observe(1, status(2, 'leader', 2, 1), behind), /leader completeness/);
  });

  test('a deposed leader of an earlier term, which wakes up, need not have what a later one committed', () => {
    const judge = judgeAfterCommit(6);
    judge.observe(1, status(2, 'leader', 5, 1), behind);
  });
});
