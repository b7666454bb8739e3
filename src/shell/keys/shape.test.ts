import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { checkKey } from './shape.ts';
import { KeyStore } from './store.ts';
import type { ProviderType } from '../../core/policy/index.ts';

const RELAY = 'hs_0123456789abcdef0123456789abcdef';
const OPENAI = 'sk-proj-0123456789abcdefghij';

describe('checkKey', () => {
  it.each<[string, string, ProviderType]>([
    ['a relay’s key', RELAY, 'OpenAICompatible'],
    ['white space around it', `\n ${RELAY}\t`, 'OpenAICompatible'],
    ['OpenAI’s own', OPENAI, 'OpenAI'],
    ['any word for the simulated one', 'word', 'Simulated'],
  ])('takes %s', (_name, key, type) => {
    expect(checkKey(key, type)).toEqual({ ok: true, key: key.trim() });
  });

  it.each<[string, string, ProviderType, string]>([
    ['nothing', ' \n', 'OpenAI', 'empty'],
    ['two keys', `${OPENAI} ${OPENAI}`, 'OpenAI', 'white space inside'],
    ['quotes', `"${OPENAI}"`, 'OpenAI', 'quotation marks'],
    ['Bearer', `Bearer ${OPENAI}`, 'OpenAI', 'Bearer'],
    ['a placeholder', 'YOUR_API_KEY', 'OpenAI', 'placeholder'],
    ['x’s', 'sk-xxxxxxxxxxxxxxxxxxxx', 'OpenAI', 'placeholder'],
    ['dots', 'sk-...', 'OpenAI', 'placeholder'],
    ['an invisible character', `sk-\u200b0123456789abcdefghij`, 'OpenAI', 'invisible'],
    ['another alphabet', 'sk-0123456789абвгдежзик', 'OpenAI', 'characters that no key has'],
    ['Anthropic’s key', 'sk-ant-0123456789abcdefghij', 'OpenAI', 'Anthropic'],
    ['Google’s key', 'AIza0123456789abcdefghijklmnop', 'DeepSeek', 'Google'],
    ['a short relay key', 'hs_0123', 'OpenAICompatible', 'too short'],
    ['a wrong beginning', '0123456789abcdefghij', 'OpenAI', 'begins with "sk-"'],
  ])('refuses %s, without quoting it', (_name, key, type, reason) => {
    const checked = checkKey(key, type);
    expect(checked.ok ? '' : checked.reason).toContain(reason);
    const telling = key.trim().slice(4, 16);
    if (telling.length >= 8 && !/^[x.]+$/.test(telling)) expect(checked.ok ? '' : checked.reason).not.toContain(telling);
  });
});

describe('KeyStore', () => {
  it('shows no key to whatever prints it', () => {
    const store = new KeyStore({ KEY: OPENAI }, () => 0);
    store.configure(new Map([['shop/openai', { source: { env: 'KEY' }, type: 'OpenAI' }]]));
    expect(store.get('shop/openai')).toBe(OPENAI);
    for (const shown of [JSON.stringify(store), inspect(store, { depth: 10 }), String(store), JSON.stringify(store.health())])
      expect(shown).not.toContain('0123456789');
  });

  it('counts what the provider says', () => {
    const store = new KeyStore({ KEY: OPENAI }, () => 0);
    store.configure(new Map([['shop/openai', { source: { env: 'KEY' }, type: 'OpenAI' }]]));
    store.rejected('shop/openai');
    store.rejected('shop/openai');
    store.accepted('shop/openai');
    store.rejected('shop/openai');
    expect(store.health()).toMatchObject([{ usable: true, rejections: 1, totalRejections: 3, used: true }]);
  });

  it('forgets what a provider said of a key where another takes its place, and only there', () => {
    const store = new KeyStore({}, () => 0);
    const given = (value: string): void => store.configure(new Map([['shop/openai', { source: { value }, type: 'OpenAI' }]]));
    given(OPENAI);
    store.rejected('shop/openai');
    given(OPENAI);
    expect(store.health()).toMatchObject([{ totalRejections: 1, used: true }]);
    given(`${OPENAI}0`);
    expect(store.health()).toMatchObject([{ rejections: 0, totalRejections: 0, used: false }]);
  });

  it('says of a key that a controller did not give where to look', () => {
    const store = new KeyStore({}, () => 0);
    store.configure(new Map([['shop/openai', { source: {}, type: 'OpenAI' }]]));
    expect(store.health()).toMatchObject([{ usable: false, reason: 'was not given by the controller; the status of its AIProvider says why' }]);
  });

  it('says where a key should have come from', () => {
    const store = new KeyStore({}, () => 0);
    store.configure(
      new Map([
        ['a', { source: { env: 'NOT_SET' }, type: 'OpenAI' }],
        ['b', { source: { file: '/nowhere/key' }, type: 'OpenAI' }],
      ]),
    );
    expect(store.get('a')).toBeUndefined();
    expect(store.health().map(({ reason }) => reason)).toEqual([expect.stringContaining('NOT_SET'), expect.stringContaining('/nowhere/key')]);
  });
});
