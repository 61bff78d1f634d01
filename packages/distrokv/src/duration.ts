// Durations as Go writes them ("5s", "1m30s", "300ms"), because etcd's flags do.
import { usage } from './errors.ts';

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy;

/** The longest that a timer of the runtime can wait. */
const maxMs = 2 ** 31 - 1;

/** Milliseconds of a duration above zero. Throws CommandError `usage` that names `what`. */
export function parseDuration(text: string, what: string): number {
  let ms = 0;
  let end = 0;
  for (const match of text.matchAll(part)) {
    const [whole, amount, unit] = match as unknown as [string, string, string];
    ms += Number(amount) * (unitMs[unit] as number);
    end = match.index + whole.length;
  }
  if (end !== text.length || ms <= 0) throw usage(`${what}: ${JSON.stringify(text)} is not a duration such as 5s, 300ms or 1m30s`);
  return Math.min(Math.ceil(ms), maxMs);
}

/** A time that was taken, in the shape of Go: "3.412ms", "1.25s". */
export function formatTook(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(3))}ms` : `${Number((ms / 1000).toFixed(3))}s`;
}
