// What this is, for `--version` and the first line of a start.

/** The version of the package; a test holds it to package.json. */
export const version = '0.1.0';
/** The version of etcd whose API is served. */
export const etcdApiVersion = '3.7';
