// Elections as those who observe them see them: the values that leaders wrote, in the order of the history of the line, each once and none left out
// but what was compacted; and when all is quiet, the last of them is that of who leads.
import type { mvccpb } from '@distrokv/proto';
import type { Observed } from '../api/api-history.ts';
import { print, textOf } from '../api/calls.ts';
import { Violation } from '../violation.ts';

export interface Truth {
  readonly events: ReadonlyMap<number, readonly mvccpb.Event[]>;
  /** Of the store, in the end. */
  readonly revision: number;
  /** The revisions that were compacted to. */
  readonly compactions: ReadonlySet<number>;
}

/** What the first of a line had, from a revision on. */
interface Led {
  readonly revision: number;
  readonly kv: mvccpb.KeyValue | undefined;
}

/** `isHealed`: whether a machine serves in the end. Throws a Violation. */
export function judgeObserved(observed: readonly Observed[], truth: Truth, isHealed: (machine: number) => boolean): void {
  const lines = new Map([...new Set(observed.map(({ name }) => name))].map((name) => [name, ledOf(`${name}/`, truth)]));
  const lastCompaction = Math.max(0, ...truth.compactions);
  for (const one of observed) {
    const led = lines.get(one.name) ?? [];
    const wrong = (what: string): never => {
      throw new Violation('line', `${one.who} observes ${one.name} at n${one.machine + 1}: ${what}`);
    };
    let last: number | undefined;
    for (const { kv, header } of one.answers) {
      if (!kv) return wrong('it is told of nobody');
      const said = `${textOf(kv.key)} of revision ${kv.modRevision}`;
      const at = led.findIndex((each, i) => i > (last ?? -1) && each.kv && print(each.kv) === print(kv));
      if (at < 0)
        wrong(`it is told of ${said}, ${last === undefined ? 'which never led' : 'which does not come after what it was told before'}`);
      const revision = header?.revision ?? 0;
      const from = (led[at] as Led).revision;
      if (revision < from || revision >= (led[at + 1]?.revision ?? Infinity))
        wrong(`it is told of ${said} as of revision ${revision}, and that led from ${from} on`);
      const missed = last === undefined ? undefined : led.slice(last + 1, at).find((each) => each.kv !== undefined);
      if (missed && missed.revision >= lastCompaction)
        wrong(`before ${said} it was to be told of ${textOf(missed.kv?.key ?? new Uint8Array(0))} of revision ${missed.revision}`);
      last = at;
    }
    if (one.isOver || !isHealed(one.machine)) continue;
    const leads = led.findLastIndex(({ kv }) => kv !== undefined);
    if (leads > (last ?? -1) && (last !== undefined || leads === led.length - 1))
      wrong(`in the end it knows nothing of the last leader, from revision ${led[leads]?.revision} on`);
  }
}

/** Each time that somebody else is first, or writes, or nobody is there any more. */
function ledOf(prefix: string, { events, revision: last }: Truth): Led[] {
  const line = new Map<string, mvccpb.KeyValue>();
  const led: Led[] = [];
  for (let revision = 1; revision <= last; revision++) {
    for (const { type, kv } of events.get(revision) ?? []) {
      const key = kv ? textOf(kv.key) : '';
      if (!kv || !key.startsWith(prefix)) continue;
      if (type === 1) line.delete(key);
      else line.set(key, kv);
    }
    const [first] = [...line.values()].sort((a, b) => a.createRevision - b.createRevision);
    if (first?.modRevision !== led.at(-1)?.kv?.modRevision || first?.createRevision !== led.at(-1)?.kv?.createRevision)
      led.push({ revision, kv: first });
  }
  return led;
}
