/**
 * Calls without a library, over and over: many.mjs COUNT. Half of them are streamed, 32 at once. What became of them is told in
 * a line of JSON: how often each status came, or the code of what went wrong.
 */
import { Agent, request } from 'node:https';

const AT_ONCE = 32;
const count = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const headers = { 'content-type': 'application/json' };

function call(stream) {
  const body = JSON.stringify({ model: 'gpt-4.1', max_tokens: 32, stream, messages: [{ role: 'user', content: 'hi' }] });
  return new Promise((resolve) => {
    const asked = request('https://api.openai.com/v1/chat/completions', { agent, method: 'POST', headers }, (answer) => {
      answer.on('error', ({ code }) => resolve(code));
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    asked.on('error', ({ code }) => resolve(code)).end(body);
  });
}

const seen = {};
let begun = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun < count) {
      const what = await call(begun++ % 2 === 0);
      seen[what] = (seen[what] ?? 0) + 1;
    }
  }),
);
process.stdout.write(`${JSON.stringify(seen)}\n`);
process.exit(0);
