/**
 * A server that has nothing to do with models: HTTPS at 8443, HTTP at 8080, and one that speaks first at 5432.
 * What it receives it tells in lines of JSON, with all headers, so that what a stranger could get hold of is seen.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createPlainServer } from 'node:net';

const [folder = '/tls'] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const answer = (at) => (request, response) => {
  const { method, url, headers, socket } = request;
  let body = '';
  request.setEncoding('utf8').on('data', (text) => (body += text));
  request.on('end', () => {
    say({ at, method, url, headers, body, serverName: socket.servername ?? null });
    response.setHeader('content-type', 'text/plain');
    response.end(`this is the other server, in ${at}\n`);
  });
};

const identity = { cert: readFileSync(`${folder}/tls.crt`), key: readFileSync(`${folder}/tls.key`) };
const servers = [
  [createSecureServer(identity, answer('https')), 8443],
  [createServer(answer('http')), 8080],
  [createPlainServer((socket) => socket.on('error', () => {}).end('hello, I speak first\n')), 5432],
];
await Promise.all(servers.map(([server, port]) => new Promise((resolve) => server.listen(port, resolve))));
say({ at: 'start' });
process.once('SIGTERM', () => process.exit(0));
