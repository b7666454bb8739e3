// Sends a datagram, and tells what comes back: an answer, or that nobody takes it.
import { createSocket } from 'node:dgram';

const [host, port] = process.argv.slice(2);
const socket = createSocket('udp4');
const tell = (text) => {
  process.stdout.write(`${text}\n`);
  process.exit(0);
};
socket.on('message', (message) => tell(message.toString()));
socket.on('error', (error) => tell(error.code));
socket.connect(Number(port), host, () => {
  socket.send('hello');
  // What a refusal is answered by is seen with the next one.
  setTimeout(() => socket.send('hello', (error) => error && tell(error.code)), 300);
});
setTimeout(() => tell('nothing'), 3000);
