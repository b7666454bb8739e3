import type { IncomingMessage } from 'node:http';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

/** API servers take objects of 3 MiB at most; what is around one in a review is little. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A request's whole body, or that it is too large; rejects where it ends before its end. */
export async function readBody(request: IncomingMessage): Promise<Result<Buffer, 'too_large'>> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return err('too_large');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_BODY_BYTES) return err('too_large');
    chunks.push(bytes);
  }
  return ok(Buffer.concat(chunks));
}
