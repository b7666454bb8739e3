/**
 * The world outside a pod, in a process of its own: providers behind TLS, other servers of several kinds, and whoever attacks.
 * It is told whose certificates to show, and tells what came to it.
 */
import { createServer as createHttp, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, createServer as createHttp2 } from 'node:http2';
import type { Http2SecureServer } from 'node:http2';
import { createServer as createTcp } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import { OUTSIDE } from './namespaces.ts';
import type { IssuedCertificate } from '../certificates.ts';

export interface OutsideSettings {
  /** Of the providers' hosts, of other hosts, and one that nobody trusts. */
  readonly providers: IssuedCertificate;
  readonly others: IssuedCertificate;
  readonly attacker: IssuedCertificate;
  readonly keys: readonly string[];
}

/** A request that came to a server. */
export interface Seen {
  readonly at: 'providers' | 'models' | 'others' | 'attacker';
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly version: string;
  readonly bytes: number;
}

let seen: Seen[] = [];
/** The first bytes of each plain connection to others, as they came. */
let raw: string[] = [];

process.on('message', (message: { readonly kind: 'start'; readonly settings: OutsideSettings } | { readonly kind: 'tell' }) => {
  if (message.kind === 'start') void start(message.settings);
  else {
    process.send?.({ kind: 'told', seen, raw });
    [seen, raw] = [[], []];
  }
});

async function start({ providers, others, attacker, keys }: OutsideSettings): Promise<void> {
  const simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys });
  // A model server of one's own takes calls without a key.
  const modelServer = await startSimulator({ host: '127.0.0.1', port: 0, keys: 'any' });
  const toSimulator = (at: Seen['at']) => (incoming: IncomingMessage, outgoing: ServerResponse) =>
    forward(at, incoming, outgoing, (at === 'models' ? modelServer : simulator).port);
  for (const host of [OUTSIDE.providers, OUTSIDE.providers6])
    await listen(
      upgrading('providers', createSecureServer({ cert: providers.certificate, key: providers.key, allowHTTP1: true }, toSimulator('providers') as never)),
      host,
      443,
    );
  await listen(createHttp(toSimulator('models')), OUTSIDE.models, 8000);

  const answer = (at: Seen['at']) => (incoming: IncomingMessage, outgoing: ServerResponse) => {
    note(at, incoming, 0);
    outgoing.setHeader('X-Answer-Case', 'kept');
    outgoing.end(`this is ${at}\n`);
  };
  for (const host of [OUTSIDE.others, OUTSIDE.others6])
    await listen(
      upgrading('others', createSecureServer({ cert: others.certificate, key: others.key, allowHTTP1: true }, answer('others') as never)),
      host,
      443,
    );
  await listen(
    upgrading('attacker', createSecureServer({ cert: attacker.certificate, key: attacker.key, allowHTTP1: true }, answer('attacker') as never)),
    OUTSIDE.attacker,
    443,
  );
  for (const port of [80, 8000]) await listen(createHttp(answer('attacker')), OUTSIDE.attacker, port);
  await listen(createTcp(plainHttp), OUTSIDE.others, 80);
  await listen(createHttp2(answer('others') as never), OUTSIDE.others, 8000);
  await listen(createTcp(plainHttp), OUTSIDE.cluster, 80);
  for (const [host, port] of [
    [OUTSIDE.others, 5432],
    [OUTSIDE.cluster, 5432],
    [OUTSIDE.attacker, 5432],
    [OUTSIDE.cluster, 443],
  ] as const)
    await listen(createTcp(speaksFirst), host, port);
  const udp = createSocket('udp4', (message, from) => udp.send(`udp ${message.toString()}`, from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(443, OUTSIDE.providers, resolve));
  const names = createSocket('udp4', (question, from) => names.send(answerTo(question), from.port, from.address));
  await new Promise<void>((resolve) => names.bind(53, OUTSIDE.cluster, resolve));
  process.send?.({ kind: 'ready' });
}

/** Of a resolver that knows one name, `by-dns.example`, and that by IPv4 alone. Source: RFC 1035, section 4. */
function answerTo(question: Buffer): Buffer {
  const asked = question.subarray(12);
  const end = asked.indexOf(0) + 5;
  const isKnown = asked.toString('latin1').includes('by-dns') && asked.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x81_80, 2);
  for (const [at, count] of [1, isKnown ? 1 : 0, 0, 0].entries()) head.writeUInt16BE(count, 4 + 2 * at);
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...OUTSIDE.others.split('.').map(Number)]);
  return Buffer.concat([head, asked.subarray(0, end), ...(isKnown ? [record] : [])]);
}

function note(at: Seen['at'], { headers, url = '', httpVersion }: IncomingMessage, bytes: number): void {
  const host = String(headers[':authority'] ?? headers.host ?? '');
  seen.push({ at, host, path: url, headers: { ...headers }, version: httpVersion, bytes });
}

function forward(at: Seen['at'], incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  let bytes = 0;
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':')));
  const onward = httpRequest({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers }, (answer) => {
    const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _transfer, ...kept } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 500, kept);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
  incoming.on('end', () => note(at, incoming, bytes));
  incoming.pipe(onward);
}

/** HTTP/1.1 without a server that would change what it shows: answers each request with what came. */
function plainHttp(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    raw.push(text);
    if (/^upgrade: websocket/im.test(text)) socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
    else socket.write('HTTP/1.1 200 OK\r\nX-Answer-Case: kept\r\ncontent-length: 6\r\n\r\nplain\n');
  });
}

/** Takes WebSockets as well, and says again what it is told. */
function upgrading(at: Seen['at'], server: Http2SecureServer): Http2SecureServer {
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket) => {
    note(at, incoming, 0);
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
    socket.on('data', (chunk) => socket.write(chunk));
  });
  return server;
}

/** As databases and mail servers do; then says again what it is told. */
function speaksFirst(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.write('hello\n');
  socket.on('data', (chunk) => socket.write(chunk));
}

function listen(server: Pick<Server, 'listen' | 'once'>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}
