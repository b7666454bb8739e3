import type { ProviderType } from '../../core/policy/index.ts';

/** A key that can be used, or why it cannot; the reason never quotes any of it. */
export type KeyCheck = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly reason: string };

const MAX_KEY_LENGTH = 4096;

const PLACEHOLDER =
  /your[-_ ]?(?:api[-_ ]?)?key|^<.*>$|^\$\{.*\}$|^change[-_ ]?me$|^(?:sk|hs)[-_](?:x{3,}|\.{3}|…|\*{3,}|your.*)|^x{4,}$|^(?:todo|none|null|undefined|placeholder|dummy|test)$|airmesh-injected/i;

/** Beginnings that tell whose key it is. */
const ANTHROPIC = /^sk-ant-/;
const GOOGLE = /^AIza/;

const SHAPES: Readonly<Partial<Record<ProviderType, { readonly shape: RegExp; readonly expected: string }>>> = {
  OpenAI: { shape: /^sk-[A-Za-z0-9_-]{16,}$/, expected: 'an OpenAI key begins with "sk-", then 16 or more letters, digits, "_" and "-"' },
  Anthropic: { shape: /^sk-ant-[A-Za-z0-9_-]{16,}$/, expected: 'an Anthropic key begins with "sk-ant-", then 16 or more letters, digits, "_" and "-"' },
  Gemini: { shape: /^[A-Za-z0-9_.-]{20,}$/, expected: 'a Gemini key has 20 or more letters, digits, "_", "-" and "."' },
  AzureOpenAI: { shape: /^[A-Za-z0-9]{32,}$/, expected: 'an Azure OpenAI key has 32 or more letters and digits' },
  DeepSeek: { shape: /^sk-[A-Za-z0-9]{16,}$/, expected: 'a DeepSeek key begins with "sk-", then 16 or more letters and digits' },
  OpenAICompatible: { shape: /^[A-Za-z0-9_.:-]{8,}$/, expected: 'a key has 8 or more letters, digits, "_", "-", "." and ":"' },
};

/** A relay's key is recognised by its beginning, and is then held to the relay's shape. */
const RELAY_PREFIX = /^(?:hs|sk)_/;
const RELAY_SHAPE = /^[A-Za-z0-9_-]{32,}$/;

/** Whether a key, as it was declared, can be one; surrounding white space is trimmed. */
export function checkKey(declared: string, type: ProviderType): KeyCheck {
  const key = declared.trim();
  const no = (reason: string): KeyCheck => ({ ok: false, reason });
  if (key === '') return no('is empty');
  if (key.length > MAX_KEY_LENGTH) return no(`is longer than ${MAX_KEY_LENGTH} characters`);
  if (/[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]/.test(key)) return no('holds invisible characters; copy it again as plain text');
  if (/^bearer\s/i.test(key)) return no('begins with "Bearer "; give the key alone');
  if (/\s/.test(key)) return no('has white space inside; it may be two keys, or a line break from copying');
  if (/^["'`“”‘’]|["'`“”‘’]$/.test(key)) return no('has quotation marks around it; give the key alone');
  if (PLACEHOLDER.test(key)) return no('is a placeholder; put the real key in its place');
  if (!/^[\x21-\x7e]+$/.test(key)) return no('holds characters that no key has; copy it again as plain text');
  if (type === 'Simulated') return { ok: true, key };
  if (ANTHROPIC.test(key) && type !== 'Anthropic') return no('is an Anthropic key, and this provider is not Anthropic');
  if (GOOGLE.test(key) && type !== 'Gemini') return no('is a Google key, and this provider is not Google');
  if (type === 'OpenAICompatible' && RELAY_PREFIX.test(key) && !RELAY_SHAPE.test(key)) {
    return no('is too short for a relay’s key: 32 or more letters, digits, "_" and "-"');
  }
  const rule = SHAPES[type];
  return rule === undefined || rule.shape.test(key) ? { ok: true, key } : no(`does not look like one: ${rule.expected}`);
}
