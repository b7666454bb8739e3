// Connects, says something if there is anything to say, and tells the first that it hears, and after how long.
import { connect } from 'node:net';

const [host, port, text] = process.argv.slice(2);
const start = performance.now();
let said = '';
const done = () => {
  process.stdout.write(JSON.stringify({ said, ms: performance.now() - start }));
  process.exit(0);
};
const socket = connect({ host, port: Number(port) }, () => {
  if (text !== '') socket.write(text);
});
socket.on('data', (chunk) => {
  said += chunk.toString('latin1');
  // What comes in several parts comes at once.
  setTimeout(done, 200);
});
socket.on('error', (error) => {
  said ||= error.code;
  done();
});
socket.on('close', done);
setTimeout(done, 15_000);
