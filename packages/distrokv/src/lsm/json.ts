// The lsm commands' JSON: bytes are base64, as in the JSON of the client commands.

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (each instanceof Uint8Array ? Buffer.from(each).toString('base64') : each));
}
