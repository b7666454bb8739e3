// Keeps a connection for so many milliseconds, or until its input ends, and sees that each word comes back; writes a dot as words come.
import { connect } from 'node:net';

const [host, port, durationMs] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
let sent = 0;
let heard = '';
const tell = (echoes) => {
  process.stdout.write(JSON.stringify({ echoes }));
  process.exit(0);
};
socket.on('data', (chunk) => {
  heard += chunk.toString('latin1');
  process.stderr.write('.');
});
for (const event of ['error', 'close']) socket.on(event, () => tell(`cut after ${sent}`));
const talking = setInterval(() => socket.write(`${sent++};`), 50);
const end = () => {
  clearInterval(talking);
  setTimeout(() => tell(heard === `hello\n${Array.from({ length: sent }, (_, index) => `${index};`).join('')}` ? 'all' : heard), 1000);
};
if (durationMs !== undefined) setTimeout(end, Number(durationMs));
else process.stdin.resume().on('end', end);
