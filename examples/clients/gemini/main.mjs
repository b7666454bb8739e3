import { GoogleGenAI } from '@google/genai';

const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: 'http://127.0.0.1:4000' } });
const stream = await client.models.generateContentStream({
  model: process.env.MODEL ?? 'deepseek-v3.2',
  contents: 'What is a sidecar?',
});
for await (const { text } of stream) process.stdout.write(text ?? '');
console.log();
