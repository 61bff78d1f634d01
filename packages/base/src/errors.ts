// One error class per package derives from this one. `code` is stable: callers switch on it, texts may change.

export interface CodedErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** An expected failure: something outside went wrong, and `code` says what kind of thing. */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = new.target.name;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
