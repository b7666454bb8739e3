/** Applications that have kept their keys: the sidecar says so in a word, which nobody else can, and no key goes further. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS, OPEN, World } from '../../support/interception/world.ts';

const OWN = 'sk-of-the-applications-own-0123456789';
const WORD = 'x-airmesh-caller-key';
const openai = (model: string): string => JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] });
const MESSAGE = JSON.stringify({ model: 'claude-sonnet-4.5', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
const CONTENTS = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] });
const GEMINI = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent';

/** Each to a host of its own, as what was said of one stays said for a while. */
const OWN_KEYS: readonly (readonly [form: string, host: string, args: readonly string[]])[] = [
  ['a bearer token', 'api.openai.com', ['https://api.openai.com/v1/chat/completions', '-H', `Authorization: Bearer ${OWN}`, '-d', openai('gpt-4.1')]],
  [
    'x-api-key, and a word that says otherwise',
    'api.anthropic.com',
    ['https://api.anthropic.com/v1/messages', '-H', `x-api-key: ${OWN}`, '-H', `${WORD}: none`, '-d', MESSAGE],
  ],
  ['a key in the query', 'generativelanguage.googleapis.com', [`${GEMINI}?alt=json&key=${OWN}`, '-d', CONTENTS]],
  [
    'api-key, beside the placeholder',
    'vllm.models.svc',
    ['http://vllm.models:8000/v1/chat/completions', '-H', 'authorization: Bearer airmesh-injected', '-H', `api-key: ${OWN}`, '-d', openai('house-model')],
  ],
];

const NO_KEYS: readonly (readonly [form: string, args: readonly string[]])[] = [
  [
    'the placeholder as a bearer token',
    ['https://api.openai.com/v1/chat/completions', '-H', 'Authorization: bearer airmesh-injected', '-d', openai('gpt-4.1')],
  ],
  ['the placeholder in x-api-key', ['https://api.anthropic.com/v1/messages', '-H', 'x-api-key: airmesh-injected', '-d', MESSAGE]],
  ['the placeholder in x-goog-api-key', [GEMINI, '-H', 'x-goog-api-key: airmesh-injected', '-d', CONTENTS]],
  ['the placeholder in the query', [`${GEMINI}?key=airmesh-injected`, '-d', CONTENTS]],
  ['none', ['http://vllm.models:8000/v1/chat/completions', '-d', openai('house-model')]],
  ['none, and a word that says otherwise', ['http://vllm.models:8000/v1/chat/completions', '-H', `${WORD}: own`, '-d', openai('house-model')]],
];

describe.each(['1.40.0', '1.36.4'])('with Envoy %s', (version) => {
  let world: World;
  beforeAll(async () => {
    world = await World.create(`k${version.slice(2, 4)}`, OPEN, '80,443,8000', version);
  });
  afterAll(async () => world?.stop());

  it.each(NO_KEYS)('%s is no key of its own', async (_form, args) => {
    expect(await world.curl('-H', 'content-type: application/json', ...args)).toMatchObject({ status: '200' });
    expect(await world.ownKeysFor()).toEqual([]);
    expect(JSON.stringify((await world.seen()).seen)).not.toContain(WORD);
  });

  it.each(OWN_KEYS)('%s is one, and is removed', async (_form, host, args) => {
    const before = await world.ownKeysFor();
    expect(await world.curl('-H', 'content-type: application/json', ...args)).toMatchObject({ status: '200' });
    expect(await world.ownKeysFor()).toEqual([...before, host].toSorted());
    const said = JSON.stringify((await world.seen()).seen);
    for (const secret of [OWN, WORD]) expect(said).not.toContain(secret);
    expect(said.includes(KEYS.openai) || said.includes(KEYS.anthropic) || said.includes(KEYS.gemini)).toBe(host !== 'vllm.models.svc');
    expect(world.log()).not.toContain(OWN);
  });
});
