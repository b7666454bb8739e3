/**
 * What stands before a provider on the Internet: HTTPS for its hosts, by the certificate in /tls. What comes goes on to a server at
 * port 4010 of this pod, and is told of in a line of JSON, with its key, so that who looks sees whose key arrived.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createSecureServer } from 'node:http2';

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const identity = { cert: readFileSync('/tls/tls.crt'), key: readFileSync('/tls/tls.key'), allowHTTP1: true };

const server = createSecureServer(identity, (incoming, outgoing) => {
  const { method, url: path, headers: given, httpVersion: version } = incoming;
  const host = given[':authority'] ?? given.host;
  const key = given.authorization ?? given['x-api-key'] ?? given['x-goog-api-key'] ?? null;
  let bytes = 0;
  const headers = Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith(':')));
  const onward = request({ port: 4010, method, path, headers }, (answer) => {
    const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _transfer, ...kept } = answer.headers;
    outgoing.writeHead(answer.statusCode, kept);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.on('data', (chunk) => (bytes += chunk.length)).on('end', () => say({ host, path, key, version, bytes }));
  incoming.pipe(onward);
});
server.listen(8443, () => say({ at: 'start' }));
process.once('SIGTERM', () => process.exit(0));
