import type { Exchange } from '../api.ts';

/** A transparent PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

export function image(_body: unknown, { answer }: Exchange): void {
  const usage = { input_tokens: 10, output_tokens: 100, total_tokens: 110, input_tokens_details: { text_tokens: 10, image_tokens: 0 } };
  answer.json(200, { created: 1_700_000_000, data: [{ b64_json: PIXEL }], usage });
}

export function transcription({ answer }: Exchange): void {
  answer.json(200, { text: 'the mesh carries each call' });
}

export function speech(_body: unknown, { answer }: Exchange): void {
  answer.bytes('audio/mpeg', Buffer.alloc(256, 0xff));
}
