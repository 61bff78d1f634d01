// The header grpc-timeout (gRPC over HTTP/2, "Timeout"): at most eight digits and a unit.

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const MAX_VALUE = 99_999_999;
/** Longer than any timer takes; a call that may take 24 days has no deadline to speak of. */
const MAX_MS = 2 ** 31 - 1;

/** Milliseconds, with fractions; undefined if `text` is no timeout. */
export function parseTimeout(text: string): number | undefined {
  const unit = unitMs[text.charAt(text.length - 1)];
  const digits = text.slice(0, -1);
  if (unit === undefined || !/^\d{1,8}$/.test(digits)) return undefined;
  return Math.min(Number(digits) * unit, MAX_MS);
}

/** The smallest unit that `ms` fits in, rounded up, so that a deadline never comes too early. */
export function formatTimeout(ms: number): string {
  const micros = Math.ceil(ms * 1000);
  if (micros <= MAX_VALUE) return `${Math.max(1, micros)}u`;
  if (ms <= MAX_VALUE) return `${Math.ceil(ms)}m`;
  return `${Math.min(MAX_VALUE, Math.ceil(ms / 1000))}S`;
}
