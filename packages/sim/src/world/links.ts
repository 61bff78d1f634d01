// Which links a partition is made of.
export function linksOf({
  from,
  to,
  both,
}: {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly both: boolean;
}): [from: number, to: number][] {
  return from.flatMap((a) =>
    to.flatMap((b): [number, number][] =>
      a === b
        ? []
        : both
          ? [
              [a, b],
              [b, a],
            ]
          : [[a, b]],
    ),
  );
}
