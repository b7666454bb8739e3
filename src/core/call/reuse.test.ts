import { describe, expect, it } from 'vitest';
import type { AnswerHead } from './request.ts';
import { AnswerRecorder, MAX_KEPT_ANSWER_BYTES } from './reuse.ts';
import type { KeptAnswer } from './reuse.ts';

const HEAD: AnswerHead = { status: 200, contentType: 'application/json', contentEncoding: undefined, local: undefined };
const NO_CHANGES = { set: [], remove: [] };

function recorded(
  head: AnswerHead,
  chunks: readonly string[],
  mayBeGivenAgain = true,
  set: readonly (readonly [string, string])[] = [],
): KeptAnswer | undefined {
  let kept: KeptAnswer | undefined;
  const recorder = new AnswerRecorder({ end: (answer) => (kept = answer) });
  recorder.head(head, { ...NO_CHANGES, set });
  for (const chunk of chunks) recorder.push(Buffer.from(chunk));
  recorder.end(mayBeGivenAgain, 7, 5n);
  return kept;
}

describe('an answer on its way', () => {
  it('is kept as the caller saw it', () => {
    const kept = recorded(HEAD, ['{"a":', '1}'], true, [['content-type', 'text/event-stream']]);
    expect(kept).toMatchObject({ contentType: 'text/event-stream', at: 7, costNanoUsd: 5n });
    expect(Buffer.from(kept?.body ?? []).toString()).toBe('{"a":1}');
  });

  it.each<[string, AnswerHead, readonly string[], boolean]>([
    ['that is an error', { ...HEAD, status: 500 }, ['x'], true],
    ['that Envoy gave itself', { ...HEAD, local: 'timeout' }, ['x'], true],
    ['of no known type', { ...HEAD, contentType: undefined }, ['x'], true],
    ['that is compressed', { ...HEAD, contentEncoding: 'br' }, ['x'], true],
    ['that did not end well', HEAD, ['x'], false],
    ['that is too long', HEAD, ['x'.repeat(MAX_KEPT_ANSWER_BYTES), 'x'], true],
  ])('%s is not kept, and those who wait are told', (_name, head, chunks, isGood) => {
    expect(recorded(head, chunks, isGood)).toBeUndefined();
  });

  it('at the bound is kept', () => {
    expect(recorded(HEAD, ['x'.repeat(MAX_KEPT_ANSWER_BYTES)])?.body.byteLength).toBe(MAX_KEPT_ANSWER_BYTES);
  });
});
