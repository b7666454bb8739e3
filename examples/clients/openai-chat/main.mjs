import OpenAI from 'openai';

const client = new OpenAI({ baseURL: 'http://127.0.0.1:4000/v1', apiKey: 'any' });
const stream = await client.chat.completions.create({
  model: process.env.MODEL ?? 'claude-sonnet-4.5',
  messages: [{ role: 'user', content: 'What is a sidecar?' }],
  stream: true,
});
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? '');
console.log();
