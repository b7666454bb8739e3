import type { Usage } from '../../../catalog/index.ts';
import { JsonWatcher, parseJson } from '../../../json/index.ts';
import type { BatchAnswer, BatchResultReader, BatchStatus } from '../../state.ts';
import { valueOf } from '../../statewatch.ts';
import { readUsage } from '../usage.ts';

/** States in which a batch does nothing more, without their prefix. Source: `JobState` of `@google/genai`; Gemini API reference, "BatchState". */
const ENDED = /_(?:SUCCEEDED|FAILED|CANCELLED|EXPIRED|PARTIALLY_SUCCEEDED)$/;

const MAX_VALUE_BYTES = 16 * 1024;
const NO_KEYS: ReadonlySet<string> = new Set();

const STATE = 'metadata.state';
const SUCCEEDED = 'metadata.batchStats.successfulRequestCount';
const USAGES = ['metadata.output', 'response'].map((place) => `${place}.inlinedResponses.inlinedResponses[].response.usageMetadata`);
const MODELS = ['metadata.output', 'response'].map((place) => `${place}.inlinedResponses.inlinedResponses[].response.modelVersion`);

/** The most steps of a path above; each item of an array is one. */
const DEEPEST = 7;

/** What an operation says of its batch. */
export function readBatch(body: Uint8Array): BatchStatus | undefined {
  let name: unknown;
  let state: unknown;
  let isDone = false;
  const watcher = new JsonWatcher({
    paths: new Set(['name', 'done', STATE]),
    maxPathDepth: 2,
    maxValueBytes: MAX_VALUE_BYTES,
    textKeys: NO_KEYS,
    found: (path, bytes) => {
      if (bytes === undefined) return;
      if (path === 'name') name = valueOf(bytes);
      else if (path === STATE) state = valueOf(bytes);
      else isDone = bytes[0] === 0x74;
    },
  });
  watcher.push(body);
  if (watcher.state !== 'complete' || typeof name !== 'string' || !name.startsWith('batches/')) return undefined;
  return isDone || (typeof state === 'string' && ENDED.test(state)) ? { kind: 'ended', results: 'inline', outputs: [] } : { kind: 'open' };
}

/**
 * Reads the answers in an operation. They may stand in its metadata, in its response, or in both. Where fewer tell what
 * they used than were served, the rest is unknown.
 */
export function readResults(_endpointPath: string, found: (answer: BatchAnswer) => void): BatchResultReader {
  const answers = new Map<string, { readonly usages: (Usage | undefined)[]; model: string | undefined }>(
    USAGES.map((path) => [path, { usages: [], model: undefined }]),
  );
  let succeeded = 0;
  const watcher = new JsonWatcher({
    paths: new Set([...USAGES, ...MODELS, SUCCEEDED]),
    maxPathDepth: DEEPEST,
    maxValueBytes: MAX_VALUE_BYTES,
    textKeys: NO_KEYS,
    found: (path, bytes) => {
      const value = bytes === undefined ? undefined : valueOf(bytes);
      const place = answers.get(USAGES[MODELS.indexOf(path)] ?? path);
      if (path === SUCCEEDED) succeeded = Number(value ?? 0);
      else if (place !== undefined && MODELS.includes(path)) place.model = typeof value === 'string' ? value : place.model;
      else place?.usages.push(bytes === undefined ? undefined : usageOf(bytes));
    },
  });
  return {
    push: (chunk, endOfStream) => {
      watcher.push(chunk);
      if (!endOfStream) return;
      const [best] = [...answers.values()].toSorted((one, other) => other.usages.length - one.usages.length);
      const usages = best?.usages ?? [];
      const unknown = Math.max(0, (Number.isSafeInteger(succeeded) ? succeeded : 0) - usages.length);
      for (const usage of usages) found({ model: best?.model, usage });
      if (unknown > 0 || watcher.state !== 'complete') found({ model: best?.model, usage: undefined });
    },
  };
}

function usageOf(bytes: Uint8Array): Usage | undefined {
  const parsed = parseJson(bytes);
  const usage = parsed.ok ? readUsage(parsed.value, parsed.value.root) : 'absent';
  return usage !== 'absent' && usage.ok ? usage.value : undefined;
}
