import type {
  Loss,
  NeutralChat,
  NeutralChatAnswer,
  NeutralContent,
  NeutralMessage,
  NeutralPart,
  NeutralReasoning,
  NeutralSampling,
  NeutralTool,
} from '../../src/core/dialects/neutral.ts';

/*
 * What a chat or an answer means, whatever language it was said in. Two that mean the same compare as equal; what was told
 * as lost is left out of both.
 */

/** A message as a whole: one that was moved. */
const MESSAGE = /^messages\[\d+\]$/;

/** What a document is called where it must be called something. */
const UNNAMED = 'document.pdf';

/** Where the instruction begins that some dialects ask for a format by, behind the system prompt. */
const FORMAT_INSTRUCTION = 'Answer with one JSON ';

export function meaningOf(chat: NeutralChat, losses: readonly Loss[] = []): unknown {
  const lost = new Set(losses.map(({ param }) => (MESSAGE.test(param) ? param : param.replace(/^messages\[\d+\]/, 'message'))));
  return {
    model: chat.model,
    stream: chat.stream,
    system: systemOf(chat.messages, lost),
    turns: turnsOf(chat.messages, lost),
    ...toolUseOf(chat, lost),
    format: lost.has('response_format') ? 'lost' : formatOf(chat.format),
    sampling: samplingOf(chat.sampling, lost),
    reasoning: lost.has('reasoning') ? 'lost' : effortOf(chat.reasoning),
    maxOutputTokens: chat.maxOutputTokens,
    choices: chat.choices,
    user: lost.has('user') ? 'lost' : chat.user,
    metadata: lost.has('metadata') ? 'lost' : chat.metadata,
    tier: lost.has('service_tier') || chat.tier === 'auto' ? undefined : chat.tier,
  };
}

/** System messages, each with how many turns come before it where its place was kept. */
function systemOf(messages: readonly NeutralMessage[], lost: ReadonlySet<string>): unknown {
  const isMoved = lost.has('system') || [...lost].some((param) => MESSAGE.test(param));
  const placeOf = (index: number): number =>
    messages
      .slice(0, index)
      .filter(({ role }, at, before) => role !== 'system' && role !== before.slice(0, at).findLast((message) => message.role !== 'system')?.role).length;
  const texts = messages.flatMap(({ role, parts }, index) =>
    role === 'system' ? parts.map((part) => ({ text: textOf(part), place: isMoved ? 'moved' : placeOf(index) })) : [],
  );
  return texts.filter(({ text }) => !text.startsWith(FORMAT_INSTRUCTION));
}

/** What each side says before the other speaks. Of a result that holds only text elsewhere, the images come behind all results. */
function turnsOf(messages: readonly NeutralMessage[], lost: ReadonlySet<string>): unknown {
  const turns: { readonly role: string; readonly parts: NeutralPart[]; readonly names: string[] }[] = [];
  for (const { role, parts, name } of messages) {
    const last = turns.at(-1);
    const names = name === undefined || lost.has('message.name') ? [] : [name];
    if (role === 'system') continue;
    if (last?.role !== role) turns.push({ role, parts: [...parts], names });
    else {
      last.parts.push(...parts);
      last.names.push(...names);
    }
  }
  const moves = lost.has('tool_result.content');
  return turns.map(({ role, parts, names }) => {
    const shown = moves ? parts.flatMap((part) => (part.kind === 'tool_result' ? part.content.filter(isMedia) : [])) : [];
    const kept = parts.filter(({ kind }) => kind !== 'thinking' || !lost.has('thinking'));
    const said = [...shown, ...kept].flatMap((part) => partOf(part, lost));
    // Where images were moved, they are compared as a set with the others of their turn.
    return { role, names, said: moves ? said.toSorted() : said };
  });
}

/** A part as text, which sorts. */
function partOf(part: NeutralPart, lost: ReadonlySet<string>): readonly string[] {
  switch (part.kind) {
    case 'tool_call':
      return [`call ${part.id} ${part.name} ${JSON.stringify(JSON.parse(part.argumentsJson))}`];
    case 'tool_result': {
      const text = part.content
        .filter((content) => !isMedia(content))
        .map(textOf)
        .join('\n');
      const media = lost.has('tool_result.content') ? [] : part.content.filter(isMedia).flatMap((content) => partOf(content, lost));
      return [`result ${part.callId} ${part.name ?? ''} ${lost.has('tool_result.is_error') ? '' : part.isError} ${text} ${media.join(' ')}`];
    }
    case 'thinking':
      return [`thinking ${part.text} ${JSON.stringify([part.signature, part.redacted])}`];
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [`text ${part.text}`];
    default:
      return [mediaOf(part, lost)];
  }
}

type Media = Exclude<NeutralContent, { readonly kind: 'text' | 'refusal' }>;

function isMedia(part: NeutralContent): part is Media {
  return part.kind !== 'text' && part.kind !== 'refusal' && part.source.kind !== 'text';
}

function mediaOf(media: Media, lost: ReadonlySet<string>): string {
  const { source } = media;
  const name = media.kind === 'document' && media.name !== UNNAMED && !lost.has('document.name') ? (media.name ?? '') : '';
  // A document of plain text is a text where there are no such documents.
  if (source.kind === 'text') return `text ${source.text}`;
  const detail = media.kind === 'image' && media.detail !== 'auto' && !lost.has('image.detail') && !lost.has('detail') ? (media.detail ?? '') : '';
  return `${media.kind} ${name} ${detail} ${source.kind === 'url' ? source.url : `${source.mediaType} ${source.data}`}`;
}

function textOf(part: NeutralPart): string {
  if (part.kind === 'document' && part.source.kind === 'text') return part.source.text;
  return 'text' in part ? part.text : '';
}

function toolUseOf({ tools, toolChoice, parallelToolCalls }: NeutralChat, lost: ReadonlySet<string>): object {
  if (tools.length === 0) return { tools: [], choice: undefined, parallel: undefined };
  // To require some of the tools is to offer only those.
  const names = toolChoice?.kind === 'tool' ? [toolChoice.name] : toolChoice?.kind === 'required' ? toolChoice.names : undefined;
  const offered = names === undefined ? tools : tools.filter(({ name }) => names.includes(name));
  const choice = toolChoice?.kind === 'tool' ? 'required' : (toolChoice?.kind ?? 'auto');
  // Where a call is required, Gemini holds to the schemas without a word.
  const mayBeStrict = choice === 'auto' && !lost.has('strict');
  return {
    tools: offered.map((tool) => toolOf(tool, mayBeStrict)),
    choice,
    parallel: lost.has('parallel_tool_calls') || choice === 'none' ? undefined : parallelToolCalls !== false,
  };
}

/** No parameters are an empty object, and strict ones are closed. */
function toolOf({ name, description, parameters, strict }: NeutralTool, mayBeStrict: boolean): object {
  const { additionalProperties, ...open } = parameters ?? { type: 'object', properties: {} };
  return {
    name,
    description,
    parameters: additionalProperties === false ? open : { ...open, additionalProperties },
    strict: mayBeStrict ? strict === true : undefined,
  };
}

/** A schema's name is for people, and what it is for can be said in the schema. Answers of other dialects are always strict. */
function formatOf(format: NeutralChat['format']): unknown {
  if (format === undefined || format.kind === 'text') return 'text';
  if (format.kind === 'json_object') return format.kind;
  const { schema, description } = format;
  return description === undefined || Object.hasOwn(schema, 'description') ? schema : { ...schema, description };
}

/** Parameters that one loss speaks for. */
const LOST_WITH: Readonly<Record<string, readonly (keyof NeutralSampling)[]>> = {
  temperature: ['temperature', 'topP', 'topK'],
  top_p: ['topP'],
  top_k: ['topK'],
  frequency_penalty: ['frequencyPenalty'],
  presence_penalty: ['presencePenalty'],
  seed: ['seed'],
  stop: ['stop'],
  logprobs: ['logprobs', 'topLogprobs'],
  logit_bias: ['logitBias'],
};

function samplingOf(sampling: NeutralSampling, lost: ReadonlySet<string>): object {
  const gone = new Set<string>([...lost].flatMap((param) => LOST_WITH[param] ?? []));
  return Object.fromEntries(Object.entries(sampling).filter(([name]) => !gone.has(name)));
}

/** Largest budget of thinking that counts as little. Dialects agree on no finer measure of efforts in tokens. */
const MAX_LITTLE_BUDGET = 8192;

/** How much is thought, as coarsely as all dialects can say it. Not to think and to say nothing of it are the same to some models. */
function effortOf(reasoning: NeutralReasoning | undefined): string | undefined {
  const { effort, budgetTokens, adaptive } = reasoning ?? {};
  if (effort === 'none' || budgetTokens === 0) return undefined;
  if (effort !== undefined) return effort === 'high' || effort === 'xhigh' || effort === 'max' ? 'much' : 'little';
  if (budgetTokens === undefined) return adaptive === true ? 'adaptive' : undefined;
  return budgetTokens <= MAX_LITTLE_BUDGET ? 'little' : 'much';
}

/** What an answer means: what was thought, said and called, how it ended, and what it used, where every dialect can say it. */
export function answerMeaning({ id, model, choices, usage }: NeutralChatAnswer, hasSeals: boolean): unknown {
  return {
    id,
    model,
    choices: choices.map(({ index, parts, finish }) => ({
      index,
      thought: parts.map((part) => (part.kind === 'thinking' ? part.text : '')).join(''),
      said: parts.map((part) => (part.kind === 'text' || part.kind === 'refusal' ? part.text : '')).join(''),
      calls: parts.flatMap((part) =>
        part.kind === 'tool_call'
          ? [{ id: part.id, name: part.name, args: JSON.parse(part.argumentsJson) as unknown, seal: hasSeals ? part.signature : undefined }]
          : [],
      ),
      finish: finish === 'refusal' ? 'content_filter' : finish,
    })),
    usage:
      usage === undefined
        ? undefined
        : { input: usage.inputTokens, output: usage.outputTokens, cached: usage.cachedInputTokens ?? 0, thought: usage.reasoningTokens ?? 0 },
  };
}
