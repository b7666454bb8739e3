// Calls without a pause, over connections that are kept and over new ones, until its input ends; tells what went wrong.
import { Agent, request } from 'node:https';

const agents = [new Agent({ keepAlive: true, maxSockets: 4 }), new Agent({ keepAlive: false })];
const body = JSON.stringify({ model: 'gpt-4.1', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
const load = { going: true };
let calls = 0;
const faults = [];

const call = (agent) =>
  new Promise((resolve) => {
    const asked = request(
      'https://api.openai.com/v1/chat/completions',
      { agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('error', (error) => faults.push(error.message));
        answer.on('close', () => {
          calls++;
          process.stderr.write('.');
          if (answer.statusCode !== 200) faults.push(`${answer.statusCode} ${text.slice(0, 200)}`);
          resolve();
        });
      },
    );
    asked.on('error', (error) => {
      // A kept connection that ends just as it is used again is every client's own affair; Node says so of it.
      faults.push(`${error.code ?? error.message}${asked.reusedSocket ? ' on a kept connection' : ''}`);
      resolve();
    });
    asked.end(body);
  });

const caller = async (agent) => {
  while (load.going) await call(agent);
};
process.stdin.resume();
process.stdin.on('end', () => (load.going = false));
await Promise.all([...agents, ...agents].map(caller));
const kinds = [...new Set(faults.map((fault) => fault.replace(/ on a kept connection$/, '')))].slice(0, 20);
process.stdout.write(JSON.stringify({ calls, faults: faults.slice(0, 5), kinds, total: faults.length }));
process.exit(0);
