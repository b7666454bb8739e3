// Keeps a connection for so many milliseconds, and sees that each word comes back.
import { connect } from 'node:net';

const [host, port, durationMs] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
let sent = 0;
let heard = '';
const tell = (echoes) => {
  process.stdout.write(JSON.stringify({ echoes }));
  process.exit(0);
};
socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
for (const event of ['error', 'close']) socket.on(event, () => tell(`cut after ${sent}`));
const talking = setInterval(() => socket.write(`${sent++};`), 50);
setTimeout(() => {
  clearInterval(talking);
  setTimeout(() => tell(heard === `hello\n${Array.from({ length: sent }, (_, index) => `${index};`).join('')}` ? 'all' : heard), 1000);
}, Number(durationMs));
