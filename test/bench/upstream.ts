/**
 * A provider's stand-in for benchmarks: fixed answers over raw sockets, so that what is measured is not this process.
 * `node test/bench/upstream.ts PORT [CHUNKS] [PACE_MS]` serves until it is stopped.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

const [port = '0', chunkCount = '64', paceMs = '0'] = process.argv.slice(2);

const USAGE =
  '{"prompt_tokens":12,"completion_tokens":64,"total_tokens":76,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}';
const JSON_BODY = `{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4.1","choices":[{"index":0,"message":{"role":"assistant","content":"${'word '.repeat(64)}"},"finish_reason":"stop"}],"usage":${USAGE}}`;
const JSON_ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${JSON_BODY.length}\r\n\r\n${JSON_BODY}`);
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

const httpChunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const event = (body: string): string => httpChunk(`data: ${body}\n\n`);
const DELTA = event(
  `{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}`,
);
const USAGE_EVENT = event(`{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4.1","choices":[],"usage":${USAGE}}`);
const STREAM_END = `${event('[DONE]')}0\r\n\r\n`;

/** Whole requests in what has come so far; a request ends with its content-length or its last chunk. */
function takeRequest(buffer: string): { readonly rest: string; readonly stream: boolean; readonly usage: boolean } | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = buffer.slice(0, headEnd).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  const bodyStart = headEnd + 4;
  const end = length === undefined ? (/\r\ntransfer-encoding: *chunked/.test(head) ? endOfChunks(buffer, bodyStart) : bodyStart) : bodyStart + Number(length);
  if (end < 0 || buffer.length < end) return undefined;
  const body = buffer.slice(bodyStart, end);
  return { rest: buffer.slice(end), stream: body.includes('"stream":true'), usage: body.includes('include_usage') };
}

function endOfChunks(buffer: string, from: number): number {
  const last = buffer.indexOf('0\r\n\r\n', from);
  return last < 0 ? -1 : last + 5;
}

function answerStream(socket: Socket, usage: boolean): void {
  const pace = Number(paceMs);
  const tail = (usage ? USAGE_EVENT : '') + STREAM_END;
  if (pace === 0) {
    socket.write(STREAM_HEAD + DELTA);
    for (let sent = 1; sent < Number(chunkCount); sent++) socket.write(DELTA);
    socket.write(tail);
    return;
  }
  let sent = 0;
  socket.write(STREAM_HEAD);
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    if (sent++ < Number(chunkCount)) return void socket.write(DELTA);
    clearInterval(timer);
    socket.write(tail);
  }, pace);
}

const server = createServer((socket) => {
  let buffer = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    buffer += chunk.toString('latin1');
    for (let request = takeRequest(buffer); request !== undefined; request = takeRequest(buffer)) {
      buffer = request.rest;
      if (request.stream) answerStream(socket, request.usage);
      else socket.write(JSON_ANSWER);
    }
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
