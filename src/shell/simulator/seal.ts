import { createHmac } from 'node:crypto';

/** Not a secret: it only has to tell what the simulator sealed from what it did not. */
const KEY = 'airmesh simulator';
const SEED_BYTES = 4;

/** A provider's opaque seal on what its model thought: base64, the same for the same thought. */
export function seal(purpose: string, text: string, seed: number): string {
  const nonce = Buffer.alloc(SEED_BYTES);
  nonce.writeUInt32BE(seed >>> 0);
  return Buffer.concat([nonce, mac(purpose, text, nonce)]).toString('base64');
}

/** Whether the simulator itself sealed exactly this. */
export function isSealed(purpose: string, text: string, sealed: string): boolean {
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = bytes.subarray(0, SEED_BYTES);
  return bytes.length > SEED_BYTES && bytes.subarray(SEED_BYTES).equals(mac(purpose, text, nonce));
}

function mac(purpose: string, text: string, nonce: Buffer): Buffer {
  return createHmac('sha256', KEY).update(purpose).update('\n').update(nonce).update(text).digest();
}
