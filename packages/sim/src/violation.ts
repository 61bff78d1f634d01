// A promise that was broken, and which judge saw it.
export type JudgeName =
  'line' | 'raft' | 'order' | 'watch' | 'lease' | 'linearizability' | 'replicas' | 'liveness' | 'fail-stop' | 'simulator';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly judge: JudgeName;

  constructor(judge: JudgeName, message: string) {
    super(`${judge}: ${message}`);
    this.judge = judge;
  }
}
