import { GoogleGenAI } from '@google/genai';
import type { Content, GenerateContentParameters, GenerateContentResponse } from '@google/genai';
import type { Answered, Front, Place, Question, Turn } from './front.ts';

/** Google's SDK, generateContent and streamGenerateContent. */
export function geminiGenerateContent({ origin }: Place): Front {
  const client = new GoogleGenAI({ apiKey: 'any word', httpOptions: { baseUrl: origin } });
  return { name: 'Gemini generateContent', ask: (question) => ask(client, question) };
}

async function ask(client: GoogleGenAI, question: Question): Promise<Answered> {
  const parameters = parametersOf(question);
  const parts: GenerateContentResponse[] = [];
  if (question.stream === true) for await (const part of await client.models.generateContentStream(parameters)) parts.push(part);
  else parts.push(await client.models.generateContent(parameters));
  const candidates = parts.flatMap((part) => part.candidates?.[0] ?? []);
  const said = candidates.flatMap(({ content }) => content?.parts ?? []);
  const usage = parts.findLast((part) => part.usageMetadata !== undefined)?.usageMetadata;
  return {
    text: said.map(({ text, thought }) => (thought === true ? '' : (text ?? ''))).join(''),
    finish: candidates.findLast(({ finishReason }) => finishReason !== undefined)?.finishReason ?? '',
    calls: said.flatMap(({ functionCall: call }) => (call === undefined ? [] : [{ id: call.id ?? '', name: call.name ?? '', input: call.args }])),
    model: parts.at(-1)?.modelVersion ?? '',
    inputTokens: usage?.promptTokenCount ?? -1,
    outputTokens: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
  };
}

function parametersOf({ model, system, turns, tools, schema, maxTokens, headers }: Question): GenerateContentParameters {
  return {
    model,
    contents: turns.map(contentOf),
    config: {
      ...(system === undefined ? {} : { systemInstruction: system }),
      ...(tools === undefined
        ? {}
        : { tools: [{ functionDeclarations: tools.map(({ name, description, parameters }) => ({ name, description, parametersJsonSchema: parameters })) }] }),
      ...(schema === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: schema }),
      ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
      httpOptions: { headers: { ...headers } },
    },
  };
}

function contentOf(turn: Turn): Content {
  switch (turn.role) {
    case 'user':
      return { role: 'user', parts: [{ text: turn.text }, ...(turn.image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: turn.image } }])] };
    case 'assistant':
      return { role: 'model', parts: [{ text: turn.text }] };
    case 'calls':
      return { role: 'model', parts: turn.calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input as Record<string, unknown> } })) };
    case 'results':
      return { role: 'user', parts: turn.results.map(({ id, name, output }) => ({ functionResponse: { id, name, response: { output } } })) };
  }
}
