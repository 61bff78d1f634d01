// The environment of the client commands.

/** The variables behind the shared flags, after DISTROKV_ or ETCDCTL_. */
export const globalVariables = [
  'ENDPOINTS',
  'WRITE_OUT',
  'HEX',
  'COMMAND_TIMEOUT',
  'DIAL_TIMEOUT',
  'CACERT',
  'CERT',
  'KEY',
  'INSECURE_SKIP_TLS_VERIFY',
] as const;
export type GlobalVariable = (typeof globalVariables)[number];
