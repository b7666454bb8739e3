import { eventOf, spoiltUsage } from '../answer.ts';
import type { Stream } from '../answer.ts';
import type { Exchange } from '../api.ts';
import type { Counted } from '../books.ts';
import { countedOf, deliver, refuse } from '../deliver.ts';
import type { Faults } from '../faults.ts';
import { replyTo } from '../model.ts';
import type { Outcome, Reply } from '../model.ts';
import { inputTokens, spansOf } from '../prompt.ts';
import { seal } from '../seal.ts';
import { idOf } from '../text.ts';
import { failure, parsed } from './errors.ts';
import { promptOf } from './prompt.ts';
import { THOUGHT_SEAL, canThink, impossible } from './rules.ts';
import { countRequest, generateRequest } from './schema.ts';
import type { GenerateRequest } from './schema.ts';

/** Beginnings of fewer tokens are not read from the cache. Source: Gemini API docs, "Context caching", for 2.5 Flash. */
const CACHE = { least: 1024, step: 1 };

/** `generateContent` and `streamGenerateContent`. Source: `GenerateContentResponse` of `@google/genai`. */
export async function generate(model: string, body: unknown, exchange: Exchange, form: 'whole' | 'events' | 'array'): Promise<void> {
  const request = parsed(generateRequest, body, exchange);
  if (request === undefined) return;
  const problem = impossible(model, request);
  if (problem !== undefined) return refuse(exchange, failure(400, problem));
  const prompt = promptOf(model, request);
  const spans = spansOf(prompt);
  const outcome = replyTo(prompt, exchange.faults);
  const counted = countedOf(inputTokens(spans), outcome, exchange.cache.automatic(model, spans, CACHE));
  const answer = new GenerateAnswer(model, request, outcome, counted, exchange.faults);
  await deliver(exchange, { model, counted, stream: form === 'whole' ? undefined : answer.stream(form), body: () => answer.body() });
}

/** Counting a whole request leaves out what begins the answer nowhere: the same figure as when it is served. */
export function count(model: string, body: unknown, exchange: Exchange): void {
  const request = parsed(countRequest, body, exchange);
  if (request === undefined) return;
  const whole = request.generateContentRequest ?? { contents: request.contents ?? [] };
  const problem = impossible(model, whole);
  if (problem !== undefined) return refuse(exchange, failure(400, problem));
  const totalTokens = inputTokens(spansOf(promptOf(model, whole)));
  exchange.answer.json(200, { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
}

class GenerateAnswer {
  readonly #model: string;
  readonly #request: GenerateRequest;
  readonly #outcome: Outcome;
  readonly #counted: Counted;
  readonly #faults: Faults;

  constructor(model: string, request: GenerateRequest, outcome: Outcome, counted: Counted, faults: Faults) {
    this.#model = model;
    this.#request = request;
    this.#outcome = outcome;
    this.#counted = counted;
    this.#faults = faults;
  }

  body(): object {
    if (this.#outcome.isPromptBlocked) return this.#blocked();
    const candidates = this.#outcome.replies.map((reply, index) => ({
      content: { parts: [...this.#thoughts(reply), ...this.#parts(reply)], role: 'model' },
      finishReason: finishOf(reply),
      index,
    }));
    return { candidates, usageMetadata: this.#usage(this.#counted.output), ...this.#frame() };
  }

  stream(form: 'events' | 'array'): Stream {
    const chunks = this.#outcome.isPromptBlocked ? [this.#blocked()] : this.#chunks();
    const broken = failure(503, 'The model is overloaded. Please try again later.').body;
    if (form === 'events') return { events: chunks.map((chunk) => eventOf(chunk)), end: '', error: eventOf(broken) };
    return {
      events: chunks.map((chunk, index) => `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(chunk, undefined, 2)}`),
      end: ']',
      error: `,\r\n${JSON.stringify(broken)}]`,
      contentType: 'application/json; charset=UTF-8',
    };
  }

  #chunks(): readonly object[] {
    const chunk = (index: number, parts: readonly object[], finishReason?: string): object => ({
      candidates: [{ content: { parts, role: 'model' }, ...(finishReason === undefined ? {} : { finishReason }), index }],
      usageMetadata: this.#usage(finishReason === undefined ? this.#counted.reasoning : this.#counted.output),
      ...this.#frame(),
    });
    return this.#outcome.replies.flatMap((reply, index) => {
      const parts = [
        ...this.#thoughtPieces(reply),
        ...(reply.calls.length > 0 ? this.#parts(reply) : reply.pieces.map((text, place) => ({ text, ...(place === 0 ? this.#signature(reply, 0) : {}) }))),
      ];
      return parts.length === 0
        ? [chunk(index, [{ text: '' }], finishOf(reply))]
        : parts.map((part, place) => chunk(index, [part], place === parts.length - 1 ? finishOf(reply) : undefined));
    });
  }

  #frame(): object {
    return { modelVersion: this.#model, responseId: idOf('', this.#outcome.seed) };
  }

  #blocked(): object {
    return { promptFeedback: { blockReason: 'PROHIBITED_CONTENT', safetyRatings: [] }, usageMetadata: this.#usage(0), ...this.#frame() };
  }

  #parts(reply: Reply): readonly object[] {
    if (reply.calls.length > 0)
      return reply.calls.map(({ name, input }, place) => ({
        functionCall: { id: idOf('', this.#outcome.seed, place).slice(0, 8), name, args: input },
        ...this.#signature(reply, place),
      }));
    return reply.pieces.length === 0 ? [] : [{ text: reply.pieces.join(''), ...this.#signature(reply, 0) }];
  }

  /** On the first part after the thoughts, of calls and, where it thought, of text. */
  #signature({ thought, calls }: Reply, place: number): object {
    const signs = place === 0 && (thought.length > 0 || (calls.length > 0 && canThink(this.#model) && this.#model.startsWith('gemini-3')));
    return signs ? { thoughtSignature: seal(THOUGHT_SEAL, '', this.#outcome.seed) } : {};
  }

  #thoughts(reply: Reply): readonly object[] {
    const shown = this.#thoughtPieces(reply);
    return shown.length === 0 ? [] : [{ text: reply.thought.join(''), thought: true }];
  }

  #thoughtPieces({ thought }: Reply): readonly object[] {
    return this.#request.generationConfig?.thinkingConfig?.includeThoughts === true ? thought.map((text) => ({ text, thought: true })) : [];
  }

  #usage(output: number): unknown {
    const { input, cached, reasoning } = this.#counted;
    const usage = {
      promptTokenCount: input,
      candidatesTokenCount: output - Math.min(reasoning, output),
      totalTokenCount: input + output,
      ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
      ...(reasoning === 0 ? {} : { thoughtsTokenCount: Math.min(reasoning, output) }),
    };
    return spoiltUsage(usage, this.#faults.usage);
  }
}

function finishOf({ finish }: Reply): string {
  switch (finish) {
    case 'length':
      return 'MAX_TOKENS';
    case 'blocked':
    case 'refused':
      return 'SAFETY';
    default:
      return 'STOP';
  }
}
