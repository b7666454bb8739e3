// Sends to a server that says all again: as fast as it comes back, or so many bytes a second, whatever comes back; tells in bytes
// and seconds what was sent, and what came back. `stream HOST:PORT SECONDS [BYTES_PER_SECOND]`
import { connect } from 'node:net';

const [where, seconds, rate] = process.argv.slice(2);
const [host, port] = where.split(':');
const CHUNK = Buffer.alloc(16_384, 'x');
const WINDOW = 64 * CHUNK.length;
const TICK_MS = 5;
const socket = connect({ host, port: Number(port), noDelay: true });
await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));

let sent = 0;
let received = 0;
let isOver = false;
const began = performance.now();
/** So many bytes, in whole chunks. */
const send = (bytes) => {
  if (isOver) return;
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    socket.write(CHUNK);
    sent += CHUNK.length;
  }
};
const fill = () => send(WINDOW - (sent - received));
socket.on('data', (chunk) => {
  received += chunk.length;
  if (rate === undefined) fill();
  if (isOver && received >= sent) tell();
});
for (const event of ['error', 'close']) socket.on(event, () => tell());
const tell = () => {
  process.stdout.write(JSON.stringify({ sent, received, seconds: (performance.now() - began) / 1000 }));
  process.exit(0);
};
if (rate === undefined) fill();
else setInterval(() => send((Number(rate) * (performance.now() - began)) / 1000 - sent), TICK_MS);
setTimeout(
  () => {
    isOver = true;
    if (received >= sent) tell();
    // What is still on its way has as long again.
    setTimeout(tell, Number(seconds) * 1000);
  },
  Number(seconds) * 1000,
);
