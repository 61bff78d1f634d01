import { CodedError, type CodedErrorOptions } from '@distrokv/base';

/** `corrupt`: bytes in the engine or a command in the log that this store cannot have written; the node must stop. */
export type StoreErrorCode = 'corrupt';

export class StoreError extends CodedError<StoreErrorCode> {
  constructor(code: StoreErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
  }
}

/** An answer that would be larger than this server builds in memory. */
export class StoreLimitError extends CodedError<'answer-too-large'> {
  constructor(maxBytes: number) {
    super('answer-too-large', `the answer would be larger than ${maxBytes} bytes: ask for less with limit, keys_only or count_only`);
  }
}
