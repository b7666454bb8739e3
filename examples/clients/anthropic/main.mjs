import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: 'http://127.0.0.1:4000', apiKey: 'any' });
const stream = client.messages.stream({
  model: process.env.MODEL ?? 'gpt-4.1',
  max_tokens: 200,
  messages: [{ role: 'user', content: 'What is a sidecar?' }],
});
for await (const event of stream) if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') process.stdout.write(event.delta.text);
console.log();
