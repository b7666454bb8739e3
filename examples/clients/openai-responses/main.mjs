import OpenAI from 'openai';

const client = new OpenAI({ baseURL: 'http://127.0.0.1:4000/v1', apiKey: 'any' });
const response = await client.responses.create({
  model: process.env.MODEL ?? 'gemini-2.5-flash',
  input: 'What is a sidecar?',
  store: false,
});
console.log(response.output_text);
