// Reads histories that others recorded: Jepsen's of one register, and a map's with get, put and append.
import type { SequentialModel, TimedOperation } from '../judges/linearizability.ts';
import { ABSENT, type RegisterOperation } from '../judges/registers.ts';

interface Event {
  readonly process: string;
  readonly type: string;
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/** Pairs each invocation with its end; `undefined` when it has none, or none that is known. Failed operations are left out. */
function paired(events: readonly Event[]): { call: Event; end: Event | undefined; start: number; endAt: number }[] {
  const open = new Map<string, { call: Event; start: number }>();
  const pairs: { call: Event; end: Event | undefined; start: number; endAt: number }[] = [];
  for (const [at, event] of events.entries()) {
    if (event.type === 'invoke') {
      open.set(event.process, { call: event, start: at });
      continue;
    }
    const begun = open.get(event.process);
    if (!begun) continue;
    open.delete(event.process);
    if (event.type === 'ok') pairs.push({ ...begun, end: event, endAt: at });
    if (event.type === 'info') pairs.push({ ...begun, end: undefined, endAt: Infinity });
  }
  for (const begun of open.values()) pairs.push({ ...begun, end: undefined, endAt: Infinity });
  return pairs;
}

export function readJepsen(text: string): TimedOperation<RegisterOperation>[] {
  const events = text.split('\n').flatMap((line): Event[] => {
    const match = /jepsen\.util - (\d+)\s+:(\w+)\s+:(\w+)\s+(.*)$/.exec(line);
    return match
      ? [{ process: match[1] as string, type: match[2] as string, name: match[3] as string, key: '', value: (match[4] as string).trim() }]
      : [];
  });
  const nothing: RegisterOperation = { saw: undefined, sawAny: false, guard: undefined, failed: false, writes: undefined };
  const valueOf = (value: string): string => (value === 'nil' ? ABSENT : value);
  // A compare-and-set that failed is known to have seen another value; other failures are not operations.
  const failedCas = new Set(events.filter(({ type, name }) => type === 'fail' && name === 'cas'));
  const asOk = events.map((event) => (failedCas.has(event) ? { ...event, type: 'ok', value: 'failed' } : event));
  return paired(asOk).flatMap(({ call, end, start, endAt }): TimedOperation<RegisterOperation>[] => {
    if (call.name === 'read') return end ? [{ start, end: endAt, op: { ...nothing, saw: valueOf(end.value) } }] : [];
    if (call.name === 'write') return [{ start, end: endAt, op: { ...nothing, writes: valueOf(call.value) } }];
    const [guard = '', writes = ''] = call.value.replace(/[[\]]/g, '').split(' ');
    return [{ start, end: endAt, op: { ...nothing, guard, writes, failed: end?.value === 'failed' } }];
  });
}

export interface AppendOperation {
  readonly kind: string;
  readonly value: string;
}

export const appendModel: SequentialModel<string, AppendOperation> = {
  initial: '',
  step(state, { kind, value }) {
    if (kind === 'get') return state === value ? state : undefined;
    return kind === 'put' ? value : state + value;
  },
  onlyReads: ({ kind }) => kind === 'get',
  effect: (state, { kind, value }) => (kind === 'get' ? state : kind === 'put' ? value : state + value),
};

export function readMap(text: string): Map<string, TimedOperation<AppendOperation>[]> {
  const events = text.split('\n').flatMap((line): Event[] => {
    const match = /:process (\d+), :type :(\w+), :f :(\w+), :key "(.*?)", :value (nil|"(.*)")}/.exec(line);
    return match
      ? [
          {
            process: match[1] as string,
            type: match[2] as string,
            name: match[3] as string,
            key: match[4] as string,
            value: match[6] ?? '',
          },
        ]
      : [];
  });
  const byKey = new Map<string, TimedOperation<AppendOperation>[]>();
  for (const { call, end, start, endAt } of paired(events)) {
    const list = byKey.get(call.key) ?? [];
    byKey.set(call.key, list);
    list.push({ start, end: endAt, op: { kind: call.name, value: call.name === 'get' ? (end?.value ?? '') : call.value } });
  }
  return byKey;
}
