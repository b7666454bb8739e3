// Connects, says nothing for a while, then speaks HTTP; tells what it hears.
import { connect } from 'node:net';

const [host, port, silentMs] = process.argv.slice(2);
const tell = (text) => {
  process.stdout.write(`${text}\n`);
  process.exit(0);
};
const socket = connect({ host, port: Number(port) });
socket.on('data', (chunk) => tell(chunk.toString('latin1')));
for (const event of ['error', 'close']) socket.on(event, () => tell('closed'));
setTimeout(
  () => socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: vllm.models\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'),
  Number(silentMs),
);
setTimeout(() => tell('nothing'), Number(silentMs) + 5000);
