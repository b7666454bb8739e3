// The official SDKs as their documentation shows them: no base URL, no key but what the environment has.
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

const openai = new OpenAI();
const tools = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } },
];
const question = [{ role: 'user', content: 'What is the weather in Berlin?' }];
const answer = await openai.chat.completions.create({ model: 'gpt-4.1', messages: question });
const called = await openai.chat.completions.create({ model: 'gpt-4.1', messages: question, tools, tool_choice: 'required' });
let streamed = '';
for await (const chunk of await openai.chat.completions.create({ model: 'gpt-4.1', messages: question, stream: true }))
  streamed += chunk.choices[0]?.delta.content ?? '';
// A model of another provider, by the same program.
const elsewhere = await openai.chat.completions.create({ model: 'claude-sonnet-4.5', messages: question });
const listed = await openai.models.list();

const anthropic = new Anthropic();
const message = await anthropic.messages.create({ model: 'claude-sonnet-4.5', max_tokens: 100, messages: question });
const messageStream = await anthropic.messages.stream({ model: 'claude-sonnet-4.5', max_tokens: 100, messages: question }).finalText();

const google = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const content = await google.models.generateContent({ model: 'gemini-2.5-flash', contents: 'What is the weather in Berlin?' });
let contentStream = '';
for await (const chunk of await google.models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'hello' })) contentStream += chunk.text ?? '';

process.stdout.write(
  JSON.stringify({
    answer: answer.choices[0].message.content,
    tool: called.choices[0].message.tool_calls[0].function.name,
    streamed,
    elsewhere: elsewhere.choices[0].message.content,
    models: listed.data.length > 2 ? 'several' : 'few',
    message: message.content[0].text,
    messageStream,
    content: content.text,
    contentStream,
  }),
);
