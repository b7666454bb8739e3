// Asks a server again and again over one connection, until its input ends; tells how many answers came, and what cut it.
import { request, Agent } from 'node:https';

const [url] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
const sockets = new Set();
const going = { on: true, cut: null };
let answers = 0;

const ask = () =>
  new Promise((resolve) => {
    const asked = request(url, { agent }, (answer) => {
      answer.on('error', ({ code }) => (going.cut ??= code));
      answer.resume().on('close', () => {
        answers++;
        resolve();
      });
    });
    asked.on('socket', (socket) => sockets.add(socket));
    asked.on('error', ({ code }) => {
      going.cut ??= code;
      resolve();
    });
    asked.end();
  });

process.stdin.resume().on('end', () => (going.on = false));
while (going.on && going.cut === null) {
  await ask();
  if (answers === 1) process.stderr.write('.');
  await new Promise((resolve) => setTimeout(resolve, 20));
}
process.stdout.write(JSON.stringify({ answers, connections: sockets.size, cut: going.cut }));
process.exit(0);
