import { describe, expect, it } from 'vitest';
import { frontOf } from './registry.ts';

describe('frontOf', () => {
  const anthropic = { 'anthropic-version': '2023-06-01' };
  const google = { 'x-goog-api-client': 'google-genai-sdk/3.1.0' };

  it.each([
    ['/v1/chat/completions', {}, 'openai'],
    ['/v1/chat/completions', { ...anthropic, ...google }, 'openai'],
    ['/v1/messages/batches', {}, 'anthropic'],
    ['/v1/models', {}, 'openai'],
    ['/v1/models?limit=5', anthropic, 'anthropic'],
    ['/v1/models', google, 'gemini'],
    ['/v1/files', {}, 'openai'],
    ['/v1/files/file_1/content', anthropic, 'anthropic'],
    ['/v1/filesystem', anthropic, 'openai'],
    ['/v1/batches', {}, 'openai'],
    ['/v1/batches/abc:cancel', google, 'gemini'],
    ['/v1/cachedContents', {}, 'gemini'],
    ['/v1beta/cachedContents/abc', {}, 'gemini'],
    ['/upload/v1beta/files', {}, 'gemini'],
    ['/v1/models/gemini-2.5-flash:generateContent', {}, 'gemini'],
  ])('knows at %s with %j who speaks', (path, headers, name) => {
    expect(frontOf(path, new Map(Object.entries(headers))).name).toBe(name);
  });
});
