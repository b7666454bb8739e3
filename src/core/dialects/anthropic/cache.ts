import type { CacheWrites } from '../../catalog/index.ts';
import { encodeUtf8, indexOfBytes } from '../../json/index.ts';

const MARK = encodeUtf8('cache_control');
const ONE_HOUR = encodeUtf8('"1h"');
/** Before an escaped character of ASCII, as which those words could be written. */
const ESCAPE = encodeUtf8('\\u00');

/**
 * Whether a request can have something written to the cache, which costs 1.25 times the input for five minutes and twice
 * as much for an hour. Looks for the words wherever they stand: too much is held where they are content, never too little.
 * Source: Claude API docs, "Prompt caching".
 */
export function cacheWritesOf(body: Uint8Array): CacheWrites {
  if (indexOfBytes(body, ESCAPE) !== -1) return 'long';
  if (indexOfBytes(body, MARK) === -1) return 'none';
  return indexOfBytes(body, ONE_HOUR) === -1 ? 'short' : 'long';
}
