import type { NeutralChat, NeutralChatAnswer, NeutralChoice, NeutralEvent, NeutralPart } from '../../src/core/dialects/neutral.ts';

/** A chat that asks for nothing in particular, but for what is said otherwise. */
export function chatOf(parts: Partial<NeutralChat> = {}): NeutralChat {
  return {
    kind: 'chat',
    model: 'some-model',
    stream: false,
    wantsStreamUsage: false,
    messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    format: undefined,
    sampling: {},
    reasoning: undefined,
    maxOutputTokens: undefined,
    choices: 1,
    user: undefined,
    metadata: undefined,
    tier: undefined,
    ...parts,
  };
}

type Growing<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/** The whole answer that a stream's steps amount to. */
export function collect(events: readonly NeutralEvent[]): NeutralChatAnswer {
  const answer: Omit<Growing<NeutralChatAnswer>, 'choices'> & { readonly choices: Growing<NeutralChoice>[] } = {
    kind: 'chat',
    id: '',
    model: '',
    created: undefined,
    choices: [],
    usage: undefined,
  };
  const places = new Map<string, number>();
  const choiceOf = (index: number): Growing<NeutralChoice> => {
    const known = answer.choices.find((choice) => choice.index === index);
    if (known !== undefined) return known;
    const choice: Growing<NeutralChoice> = { index, parts: [], finish: undefined };
    answer.choices.push(choice);
    return choice;
  };
  const change = (index: number, place: number, part: NeutralPart): void => {
    const choice = choiceOf(index);
    choice.parts = choice.parts.with(place, part);
  };
  const append = (index: number, part: NeutralPart): void => {
    const choice = choiceOf(index);
    const last = choice.parts.at(-1);
    if (last?.kind === 'text' && part.kind === 'text') change(index, choice.parts.length - 1, { ...last, text: last.text + part.text });
    else if (last?.kind === 'refusal' && part.kind === 'refusal') change(index, choice.parts.length - 1, { ...last, text: last.text + part.text });
    else if (last?.kind === 'thinking' && part.kind === 'thinking' && last.signature === undefined && last.redacted === undefined)
      change(index, choice.parts.length - 1, { ...last, ...part, text: last.text + part.text });
    else choice.parts = [...choice.parts, part];
  };
  for (const event of events) {
    switch (event.kind) {
      case 'start':
        Object.assign(answer, { id: event.id, model: event.model, created: event.created });
        break;
      case 'text':
        append(event.choice, { kind: 'text', text: event.delta });
        if (event.logprobs !== undefined) choiceOf(event.choice).logprobs = [...(choiceOf(event.choice).logprobs ?? []), ...event.logprobs];
        break;
      case 'refusal':
      case 'thinking':
        append(event.choice, { kind: event.kind, text: event.delta });
        break;
      case 'thinking_signature':
        append(event.choice, { kind: 'thinking', text: '', signature: event.signature });
        break;
      case 'redacted_thinking':
        append(event.choice, { kind: 'thinking', text: '', redacted: event.redacted });
        break;
      case 'tool_call':
        places.set(`${event.choice}/${event.call}`, choiceOf(event.choice).parts.length);
        append(event.choice, {
          kind: 'tool_call',
          id: event.id,
          name: event.name,
          argumentsJson: '',
          ...(event.signature === undefined ? {} : { signature: event.signature }),
        });
        break;
      case 'tool_arguments': {
        const place = places.get(`${event.choice}/${event.call}`) ?? -1;
        const call = choiceOf(event.choice).parts.at(place);
        if (call?.kind === 'tool_call') change(event.choice, place, { ...call, argumentsJson: call.argumentsJson + event.delta });
        break;
      }
      case 'finish':
        choiceOf(event.choice).finish = event.reason;
        break;
      case 'usage':
        answer.usage = event.usage;
        break;
      default:
    }
  }
  for (const choice of answer.choices)
    choice.parts = choice.parts.map((part) => (part.kind === 'tool_call' && part.argumentsJson.trim() === '' ? { ...part, argumentsJson: '{}' } : part));
  return answer;
}
