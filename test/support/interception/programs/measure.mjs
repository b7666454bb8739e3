// One call after the other over one connection; tells in microseconds, of those after the first
// tenth, the median, and what a tenth stay below: on a busy machine, what it would be on a quiet one.
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';

const [kind, where, count, key] = process.argv.slice(2);
const times = [];

function call() {
  const url = new URL(where);
  const isPlain = url.protocol === 'http:';
  const agent = new (isPlain ? PlainAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  const body = JSON.stringify({ model: 'gpt-4.1', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  const headers = { 'content-type': 'application/json', 'content-length': body.length, authorization: `Bearer ${key}` };
  return () =>
    new Promise((resolve, reject) => {
      const asked = (isPlain ? plainRequest : request)(url, { agent, method: 'POST', headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
        answer.resume().on('end', resolve);
      });
      asked.on('error', reject).end(body);
    });
}

async function echo() {
  const [host, port] = where.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await new Promise((resolve) => socket.once('data', resolve));
  return () =>
    new Promise((resolve) => {
      socket.once('data', resolve);
      socket.write('x');
    });
}

const once = kind === 'call' ? call() : await echo();
for (let index = 0; index < Number(count); index++) {
  const start = performance.now();
  await once();
  times.push((performance.now() - start) * 1000);
}
const warm = times.slice(Math.ceil(times.length / 10)).toSorted((a, b) => a - b);
process.stdout.write(JSON.stringify({ p50: Math.round(warm[Math.floor(warm.length / 2)]), p10: Math.round(warm[Math.floor(warm.length / 10)]) }));
process.exit(0);
