// The errors of the etcd API that this state machine gives, with the status and the exact text that clients match on
// (etcd's api/v3rpc/rpctypes/error.go).
import { CodedError, type CodedErrorOptions } from '@distrokv/base';

const table = {
  'empty-key': ['invalid-argument', 'key is not provided'],
  'key-not-found': ['invalid-argument', 'key not found'],
  'value-provided': ['invalid-argument', 'value is provided'],
  'lease-provided': ['invalid-argument', 'lease is provided'],
  'too-many-operations': ['invalid-argument', 'too many operations in txn request'],
  'duplicate-key': ['invalid-argument', 'duplicate key given in txn request'],
  'invalid-sort-option': ['invalid-argument', 'invalid sort option'],
  'request-too-large': ['invalid-argument', 'request is too large'],
  compacted: ['out-of-range', 'mvcc: required revision has been compacted'],
  'future-revision': ['out-of-range', 'mvcc: required revision is a future revision'],
  'no-space': ['resource-exhausted', 'mvcc: database space exceeded'],
  'member-not-found': ['not-found', 'member not found'],
  'member-exists': ['failed-precondition', 'member ID already exist'],
  'peer-urls-exist': ['failed-precondition', 'Peer URLs already exists'],
  'bad-member-urls': ['invalid-argument', 'given member URLs are invalid'],
  'not-enough-started-members': ['unknown', 're-configuration failed due to not enough started members'],
  'not-learner': ['failed-precondition', 'can only promote a learner member'],
  'learner-not-ready': ['failed-precondition', 'can only promote a learner member which is in sync with leader'],
  'too-many-learners': ['failed-precondition', 'too many learner members in cluster'],
  unhealthy: ['unavailable', 'unhealthy cluster'],
  'lease-not-found': ['not-found', 'requested lease not found'],
  'lease-exists': ['failed-precondition', 'lease already exists'],
  'lease-ttl-too-large': ['out-of-range', 'too large lease TTL'],
  corrupt: ['data-loss', 'corrupt cluster'],
} as const;

export type ApiErrorCode = keyof typeof table;
export type ApiErrorStatus = (typeof table)[ApiErrorCode][0];

/** A request that the store refuses, the same on every member. `status` is the gRPC status by name. */
export class ApiError extends CodedError<ApiErrorCode> {
  readonly status: ApiErrorStatus;

  constructor(code: ApiErrorCode, options: CodedErrorOptions = {}) {
    const [status, text] = table[code];
    super(code, `etcdserver: ${text}`, { ...options, isAnswer: true });
    this.status = status;
  }
}
