import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf, decodeResponse, encodeBeforeBody, encodeResponse } from './codec.ts';
import { FrameReader, frame, frameStart } from './framing.ts';

function messagesIn(chunks: readonly Buffer[], maxMessageBytes = 1_000_000): { readonly messages: readonly string[]; readonly isEmpty: boolean } {
  const reader = new FrameReader(maxMessageBytes);
  const messages: string[] = [];
  for (const chunk of chunks) reader.push(chunk, (message) => messages.push(message.toString('hex')));
  return { messages, isEmpty: reader.isEmpty };
}

describe('frames', () => {
  it('give the same messages wherever the stream is cut', () => {
    const message = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat({ max: 30 })), fc.boolean(), (messages, sizes, isWhole) => {
        const stream = frame(...messages).subarray(0, isWhole ? undefined : -1);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const size of sizes) chunks.push(stream.subarray(at, (at += size)));
        chunks.push(stream.subarray(at));
        const whole = isWhole ? messages : messages.slice(0, -1);
        expect(messagesIn(chunks)).toEqual({ messages: whole.map((each) => Buffer.from(each).toString('hex')), isEmpty: isWhole || messages.length === 0 });
      }),
    );
  });

  it('are refused by their header, before any room is made for what they announce', () => {
    expect(() => messagesIn([Buffer.from([0, 0, 0, 1, 1])], 256)).toThrow('a message of 257 bytes came; at most 256 are taken');
    expect(messagesIn([Buffer.from([0, 0, 0, 1, 0])], 256)).toEqual({ messages: [], isEmpty: false });
  });

  it.each([0, 1, 127, 128, 70_000])('carry a body of %i bytes without a copy of it, as with one', (bytes) => {
    const body = new Uint8Array(bytes).fill(7);
    const response = { requestBody: { response: { bodyMutation: { body } } } };
    expect(bodyOf(response)).toBe(body);
    const apart = Buffer.concat([frameStart(encodeBeforeBody(body), bytes), body]);
    if (bytes > 0) expect(apart).toEqual(frame(encodeResponse(response)));
    expect(decodeResponse(apart.subarray(5))).toMatchObject({ requestBody: { response: { bodyMutation: { body: Buffer.from(body) } } } });
  });
});
