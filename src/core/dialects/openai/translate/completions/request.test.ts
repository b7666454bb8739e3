import { describe, expect, it } from 'vitest';
import { openaiTranslation } from '../index.ts';

const COMPLETIONS = { operation: 'text_completion', path: '/completions', body: 'json' } as const;
const parse = (body: object): ReturnType<typeof openaiTranslation.parseRequest> =>
  openaiTranslation.parseRequest(COMPLETIONS, new TextEncoder().encode(JSON.stringify({ model: 'm', prompt: 'Hello', ...body })));

describe('a text completion', () => {
  it.each(['Hello', ['Hello']])('is a chat of one message: %j', (prompt) => {
    const read = parse({
      prompt,
      n: 2,
      best_of: 2,
      stop: ['a'],
      max_tokens: 5,
      temperature: 0,
      echo: false,
      stream: true,
      stream_options: { include_usage: true },
      user: 'u',
      logit_bias: { a: 1 },
      suffix: null,
    });
    expect(read).toMatchObject({
      ok: true,
      value: {
        losses: [],
        request: {
          kind: 'chat',
          messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
          choices: 2,
          maxOutputTokens: 5,
          sampling: { temperature: 0, stop: ['a'], logitBias: { a: 1 } },
          stream: true,
          wantsStreamUsage: true,
          user: 'u',
        },
      },
    });
  });

  it.each<[object, string]>([
    [{ prompt: ['a', 'b'] }, 'prompt'],
    [{ prompt: [1, 2] }, 'prompt'],
    [{ prompt: [[1, 2]] }, 'prompt'],
    [{ suffix: 'x' }, 'suffix'],
    [{ echo: true }, 'echo'],
    [{ best_of: 2 }, 'best_of'],
    [{ logprobs: 1 }, 'logprobs'],
  ])('is refused with %j', (body, param) => {
    expect(parse(body)).toMatchObject({ ok: true, value: { losses: [{ treatment: 'refused', param }] } });
  });

  it.each([{ prompt: null }, { prompt: [] }, { prompt: { a: 1 } }])('wants a prompt: %j', (body) => {
    expect(parse(body)).toMatchObject({ ok: false, error: { code: 'invalid_value', param: 'prompt' } });
  });
});
