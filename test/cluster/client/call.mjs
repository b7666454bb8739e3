/**
 * An application that knows OpenAI's client and nothing of Airmesh: call.mjs [once|stream|wait|last|on]
 *
 * on: one call after the other, with half a second between, until it is told to end; a line each. once, stream: one call, told in a line of JSON, with what the answer's `x-airmesh-*` headers say. wait: nothing, until it is told to end. last: a call when it is told to end.
 */
import OpenAI from 'openai';

const [what = 'once'] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const request = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'How do I return a parcel?' }] };

/** By name, without the prefix. */
const ofAirmesh = ({ headers }) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-airmesh-')).map(([name, value]) => [name.slice('x-airmesh-'.length), value]));

async function call(stream) {
  const begun = Date.now();
  try {
    const openai = new OpenAI();
    if (!stream) {
      const { data, response } = await openai.chat.completions.create(request).withResponse();
      const { choices, usage } = data;
      return { ok: true, text: choices[0].message.content, tokens: usage.total_tokens, airmesh: ofAirmesh(response), ms: Date.now() - begun };
    }
    let text = '';
    let chunks = 0;
    const { data, response } = await openai.chat.completions.create({ ...request, stream: true }).withResponse();
    for await (const chunk of data) {
      chunks++;
      text += chunk.choices[0]?.delta.content ?? '';
    }
    return { ok: true, text, chunks, airmesh: ofAirmesh(response), ms: Date.now() - begun };
  } catch (error) {
    const { status, code, message, headers } = error;
    return { ok: false, status, code, message, shouldRetry: headers?.get?.('x-should-retry'), ms: Date.now() - begun };
  }
}

const told = new Promise((resolve) => process.once('SIGTERM', resolve));
if (what === 'once' || what === 'stream') say(await call(what === 'stream'));
else if (what === 'on') {
  const ending = told.then(() => true);
  do say(await call(false));
  while (!(await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 500))])));
} else {
  const alive = setInterval(() => {}, 1000);
  say({ ok: true, text: 'waiting' });
  await told;
  // Its sidecar must still be there, however long it takes its time.
  if (what === 'last') {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    say(await call(false));
  }
  clearInterval(alive);
}
