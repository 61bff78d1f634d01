// Locks and elections: whoever was told that it holds a lock, or leads, was first in its line at some revision, not before the one that it was told of
// and not after it was told. Two cannot be first at one revision, so this is mutual exclusion as far as a store can give it (a holder learns late that
// its lease has ended; the create revision fences what it does then).
import type { mvccpb } from '@distrokv/proto';
import type { Claim } from '../api/api-history.ts';
import { textOf } from '../api/calls.ts';
import { LINE_NAMES } from '../api/lines.ts';
import { Violation } from '../violation.ts';

/** From a revision on, and before another, this key was first. */
export interface Reign {
  readonly key: string;
  readonly from: number;
  to: number;
}

/** Who was first in which line, by name. */
export function linesOf(events: ReadonlyMap<number, readonly mvccpb.Event[]>, lastRevision: number): ReadonlyMap<string, readonly Reign[]> {
  return new Map(LINE_NAMES.map((name) => [name, reignsOf(`${name}/`, events, lastRevision)]));
}

function reignsOf(prefix: string, events: ReadonlyMap<number, readonly mvccpb.Event[]>, lastRevision: number): Reign[] {
  const line = new Map<string, number>();
  const reigns: Reign[] = [];
  let first: string | undefined;
  for (let revision = 1; revision <= lastRevision; revision++) {
    for (const { type, kv } of events.get(revision) ?? []) {
      const key = kv ? textOf(kv.key) : '';
      if (!kv || !key.startsWith(prefix)) continue;
      // A key that is made anew in the very revision goes to the end of the line.
      if (type === 1) line.delete(key);
      else if (line.get(key) !== kv.createRevision) {
        line.delete(key);
        line.set(key, kv.createRevision);
      }
    }
    const [now] = [...line].reduce<[string | undefined, number]>(
      (least, [key, at]) => (at < least[1] ? [key, at] : least),
      [undefined, Infinity],
    );
    if (now === first) continue;
    const last = reigns.at(-1);
    if (last && first !== undefined) last.to = revision;
    if (now !== undefined) reigns.push({ key: now, from: revision, to: Infinity });
    first = now;
  }
  return reigns;
}

/** `seenOrder`: when a revision was first seen to be committed. Throws a Violation. */
export function judgeLines(
  claims: readonly Claim[],
  lines: ReadonlyMap<string, readonly Reign[]>,
  seenOrder: (revision: number) => number,
): void {
  for (const { who, name, key, revision, endOrder } of claims) {
    const wasFirst = (lines.get(name) ?? []).some(
      (reign) => reign.key === key && reign.to > revision && seenOrder(Math.max(reign.from, revision)) <= endOrder,
    );
    if (!wasFirst)
      throw new Violation(
        'line',
        `${who} was told that ${key} is the first of its line, at revision ${revision} or later, and it never was`,
      );
  }
}
