import { eventOf } from '../../answer.ts';
import type { Stream } from '../../answer.ts';
import type { Exchange, Failure } from '../../api.ts';
import type { Counted } from '../../books.ts';
import { countedOf, deliver, refuse } from '../../deliver.ts';
import type { Faults } from '../../faults.ts';
import { replyTo } from '../../model.ts';
import type { Outcome, Reply } from '../../model.ts';
import { inputTokens, spansOf } from '../../prompt.ts';
import { seal } from '../../seal.ts';
import type { KeptThings } from '../../state/index.ts';
import { idOf, splitJson } from '../../text.ts';
import { CACHE, CREATED } from '../chat.ts';
import { failure, invalid, parsed } from '../errors.ts';
import { unknownModel } from '../rules.ts';
import { responseUsage } from '../usage.ts';
import { promptOf } from './prompt.ts';
import { withItems } from './references.ts';
import { REASONING_SEAL, impossible } from './rules.ts';
import { countRequest, responsesRequest } from './schema.ts';
import type { ResponsesRequest } from './schema.ts';

/** `POST /responses`. Source: `Response` and `ResponseStreamEvent` of the `openai` package. */
export async function responses(body: unknown, exchange: Exchange): Promise<void> {
  const asked = parsed(responsesRequest, body, exchange);
  if (asked === undefined) return;
  const { kept } = exchange;
  const request = withItems(asked, kept);
  if ('status' in request) return refuse(exchange, request);
  const problem = unknownModel(request.model) ?? impossible(request) ?? missingEarlier(request, kept);
  if (problem !== undefined) return refuse(exchange, problem);
  const prompt = promptOf(request);
  const spans = spansOf(prompt);
  const outcome = replyTo(prompt, exchange.faults);
  const earlier = tokensOf(kept.responses.get(request.previous_response_id ?? ''));
  const counted = countedOf(inputTokens(spans) + earlier, outcome, exchange.cache.automatic(request.model, spans, CACHE));
  const id = request.store === false ? idOf('resp_', outcome.seed) : kept.newId('resp_');
  const answer = new ResponseAnswer(request, id, outcome, counted, exchange.faults);
  if (request.store !== false) kept.keepResponse(id, answer.body());
  await deliver(exchange, { model: request.model, counted, stream: request.stream === true ? answer.stream() : undefined, body: () => answer.body() });
}

function missingEarlier({ previous_response_id: id }: ResponsesRequest, kept: KeptThings): Failure | undefined {
  if (id == null || kept.responses.has(id)) return undefined;
  return invalid(`Previous response with id '${id}' not found.`, 'previous_response_not_found', 'previous_response_id');
}

/** What an earlier response said and was asked is input again. */
function tokensOf(response: unknown): number {
  return (response as { readonly usage?: { readonly total_tokens?: number } } | undefined)?.usage?.total_tokens ?? 0;
}

export function countInput(body: unknown, exchange: Exchange): void {
  const request = parsed(countRequest, body, exchange);
  if (request === undefined) return;
  exchange.answer.json(200, { object: 'response.input_tokens', input_tokens: inputTokens(spansOf(promptOf(request))) });
}

interface OutputItem {
  readonly type: 'reasoning' | 'message' | 'function_call';
  readonly id: string;
  readonly [field: string]: unknown;
}

const NO_REPLY: Reply = { thought: [], pieces: [], calls: [], finish: 'blocked', stopSequence: undefined };

class ResponseAnswer {
  readonly #request: ResponsesRequest;
  readonly #id: string;
  readonly #reply: Reply;
  readonly #seed: number;
  readonly #counted: Counted;
  readonly #faults: Faults;
  #sequence = 0;

  constructor(request: ResponsesRequest, id: string, outcome: Outcome, counted: Counted, faults: Faults) {
    this.#request = request;
    this.#id = id;
    this.#reply = outcome.replies[0] ?? NO_REPLY;
    this.#seed = outcome.seed;
    this.#counted = counted;
    this.#faults = faults;
  }

  body(): object {
    const { finish } = this.#reply;
    const reason = finish === 'length' ? 'max_output_tokens' : finish === 'blocked' ? 'content_filter' : undefined;
    return {
      ...this.#frame(),
      status: reason === undefined ? 'completed' : 'incomplete',
      incomplete_details: reason === undefined ? null : { reason },
      output: this.#items(),
      usage: responseUsage(this.#counted, this.#faults),
    };
  }

  stream(): Stream {
    const begun = { ...this.#frame(), status: 'in_progress', incomplete_details: null, output: [], usage: null };
    const whole = this.body() as { readonly status: string };
    const events = [
      this.#event('response.created', { response: begun }),
      this.#event('response.in_progress', { response: begun }),
      ...this.#items().flatMap((item, index) => this.#itemEvents(item, index)),
      this.#event(`response.${whole.status}`, { response: whole }),
    ];
    const { error } = failure(500, 'The server had an error while processing your request.').body as { readonly error: { readonly message: string } };
    return { events, end: '', error: this.#event('error', { code: 'server_error', message: error.message, param: null }) };
  }

  #frame(): object {
    const request = this.#request;
    return {
      id: this.#id,
      object: 'response',
      created_at: CREATED,
      error: null,
      instructions: request.instructions ?? null,
      max_output_tokens: request.max_output_tokens ?? null,
      metadata: request.metadata ?? {},
      model: request.model,
      parallel_tool_calls: request.parallel_tool_calls ?? true,
      previous_response_id: request.previous_response_id ?? null,
      reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
      service_tier: 'default',
      store: request.store ?? true,
      temperature: request.temperature ?? 1,
      text: request.text ?? { format: { type: 'text' } },
      tool_choice: request.tool_choice ?? 'auto',
      tools: request.tools ?? [],
      top_p: request.top_p ?? 1,
      truncation: request.truncation ?? 'disabled',
    };
  }

  #items(): readonly OutputItem[] {
    const { thought, calls, pieces } = this.#reply;
    const items: OutputItem[] = [];
    if (thought.length > 0) items.push(this.#reasoning(thought));
    for (const [place, call] of calls.entries()) {
      items.push({
        type: 'function_call',
        id: idOf('fc_', this.#id, place),
        call_id: idOf('call_', this.#seed, place),
        name: call.name,
        arguments: call.arguments,
        status: 'completed',
      });
    }
    if (calls.length > 0) return items;
    const content = pieces.length === 0 ? [] : [this.#part(pieces.join(''))];
    return pieces.length === 0 && thought.length > 0
      ? items
      : [...items, { type: 'message', id: idOf('msg_', this.#id), status: 'completed', role: 'assistant', content }];
  }

  #reasoning(thought: readonly string[]): OutputItem {
    const wantsSeal = this.#request.include?.includes('reasoning.encrypted_content') === true;
    const summary = this.#request.reasoning?.summary == null ? [] : [{ type: 'summary_text', text: thought.join('') }];
    return { type: 'reasoning', id: idOf('rs_', this.#id), summary, ...(wantsSeal ? { encrypted_content: seal(REASONING_SEAL, '', this.#seed) } : {}) };
  }

  #itemEvents(item: OutputItem, index: number): readonly string[] {
    const place = { output_index: index, item_id: item.id };
    const begun =
      item.type === 'message'
        ? { ...item, status: 'in_progress', content: [] }
        : item.type === 'function_call'
          ? { ...item, status: 'in_progress', arguments: '' }
          : { ...item, summary: [] };
    return [
      this.#event('response.output_item.added', { output_index: index, item: begun }),
      ...this.#insides(item, place),
      this.#event('response.output_item.done', { output_index: index, item }),
    ];
  }

  #insides(item: OutputItem, place: object): readonly string[] {
    const { thought, pieces } = this.#reply;
    switch (item.type) {
      case 'function_call': {
        const whole = String(item['arguments']);
        return [
          ...splitJson(whole).map((delta) => this.#event('response.function_call_arguments.delta', { ...place, delta })),
          this.#event('response.function_call_arguments.done', { ...place, name: item['name'], arguments: whole }),
        ];
      }
      case 'reasoning': {
        const inside = { ...place, summary_index: 0 };
        if ((item['summary'] as readonly unknown[]).length === 0) return [];
        return [
          this.#event('response.reasoning_summary_part.added', { ...inside, part: { type: 'summary_text', text: '' } }),
          ...thought.map((delta) => this.#event('response.reasoning_summary_text.delta', { ...inside, delta })),
          this.#event('response.reasoning_summary_text.done', { ...inside, text: thought.join('') }),
          this.#event('response.reasoning_summary_part.done', { ...inside, part: { type: 'summary_text', text: thought.join('') } }),
        ];
      }
      case 'message': {
        if (pieces.length === 0) return [];
        const inside = { ...place, content_index: 0 };
        const whole = pieces.join('');
        return [
          this.#event('response.content_part.added', { ...inside, part: this.#part('') }),
          ...pieces.map((delta) =>
            this.#isRefused()
              ? this.#event('response.refusal.delta', { ...inside, delta })
              : this.#event('response.output_text.delta', { ...inside, delta, logprobs: [] }),
          ),
          this.#isRefused()
            ? this.#event('response.refusal.done', { ...inside, refusal: whole })
            : this.#event('response.output_text.done', { ...inside, text: whole, logprobs: [] }),
          this.#event('response.content_part.done', { ...inside, part: this.#part(whole) }),
        ];
      }
    }
  }

  #isRefused(): boolean {
    return this.#reply.finish === 'refused';
  }

  #part(text: string): object {
    return this.#isRefused() ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [], logprobs: [] };
  }

  #event(type: string, fields: object): string {
    return eventOf({ type, sequence_number: this.#sequence++, ...fields }, type);
  }
}
