// Medians and ratios. A ratio is taken within each round, between processes that ran one after the other; only then is its median
// taken, since two figures of different minutes say little about each other on a machine that others use too.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The figure of one row in every round of `engine`; rounds without it are left out. */
export function figures(rounds, engine, { workload, figure }) {
  return rounds.map((round) => round[engine]?.[workload]?.[figure]).filter((n) => n !== undefined);
}

/** Median, lowest and highest of ours over a peer's, round by round; undefined where one of the two has no figure. */
export function ratio(rounds, peer, row) {
  const ratios = [];
  for (const round of rounds) {
    const [a] = figures([round], 'ours', row);
    const [b] = figures([round], peer, row);
    if (a !== undefined && b !== undefined && b !== 0) ratios.push(a / b);
  }
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

/** Whether ours reaches what a row asks of it: true, false, or undefined where nothing is asked or nothing was measured. */
export function reached(rounds, row) {
  const verdicts = Object.entries(row.asked).map(([of, limit]) => {
    const ours = figures(rounds, 'ours', row);
    const value = of !== 'bound' ? ratio(rounds, of, row)?.median : ours.length > 0 ? median(ours) : undefined;
    return value === undefined ? undefined : row.better === 'more' ? value >= limit : value <= limit;
  });
  if (verdicts.includes(false)) return false;
  return verdicts.includes(true) ? true : undefined;
}
