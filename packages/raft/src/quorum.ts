// Majorities: any two of them share a member, which is why Raft is safe (Raft §5.2, §5.4).

/** How many of `voters` are a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The greatest number that a majority has reached, given what each voter has reached. Sorts `reached` in place. */
export function reachedByMajority(reached: number[]): number {
  // By insertion: a handful of numbers, for every answer that a leader gets.
  for (let i = 1; i < reached.length; i++) {
    const value = reached[i] as number;
    let at = i;
    for (; at > 0 && (reached[at - 1] as number) < value; at--) reached[at] = reached[at - 1] as number;
    reached[at] = value;
  }
  return reached[majority(reached.length) - 1] as number;
}
