// Leases as people write them: hexadecimal, up to 16 digits.
import { usage } from '../errors.ts';

/** Hexadecimal, as leases are shown. Throws CommandError `usage`. */
export function parseLease(text: string): bigint {
  if (!/^(0x)?[0-9a-fA-F]{1,16}$/.test(text)) throw usage(`${JSON.stringify(text)} is no lease: up to 16 hexadecimal digits`);
  return BigInt.asIntN(64, BigInt(text.startsWith('0x') ? text : `0x${text}`));
}

/** As etcdctl prints it. */
export function showLease(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16).padStart(16, '0');
}
