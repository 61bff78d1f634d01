// Ranges: the family's four bounds as the engine's two.

/** A range as abstract-level hands it down: at most one bound on each side. */
export interface Range {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse: boolean;
}

/** First key (included) and end (excluded). */
export interface Bounds {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
}

/** An inclusive bound wins over an exclusive one, as everywhere in the family. */
export function boundsOf(range: Range): Bounds {
  const first = range.gte ?? (range.gt === undefined ? undefined : after(range.gt));
  const end = range.lte === undefined ? range.lt : after(range.lte);
  return { ...(first === undefined ? {} : { gte: first }), ...(end === undefined ? {} : { lt: end }) };
}

/** The first key behind `key`: keys are ordered as bytes, the shorter first. */
export function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
