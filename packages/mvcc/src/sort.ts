// Sorting in steps: a million pairs take seconds, for which the event loop must not stand still. A merge sort from below, which is stable: what compares
// alike stays in the order in which it came.
import { StepWork, type Steps } from './steps.ts';

export interface Order<T> {
  readonly compare: (a: T, b: T) => number;
  /** What a comparison with it may have to look at. */
  readonly bytesOf: (item: T) => number;
}

/** The result is `items`, or an array of its own. */
export function* sortSteps<T>(items: T[], order: Order<T>): Steps<T[]> {
  const work = new StepWork();
  let from = items;
  let to: T[] = [...items];
  for (let width = 1; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += 2 * width) {
      const middle = Math.min(start + width, items.length);
      const end = Math.min(start + 2 * width, items.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const isLeft = right === end || (left < middle && order.compare(from[left] as T, from[right] as T) <= 0);
        const item = from[isLeft ? left++ : right++] as T;
        to[at] = item;
        if (work.add(order.bytesOf(item))) yield;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
