/** A pod in which a mesh redirects and so do we: each connection meets one of the two, whichever came first. Needs root and iptables. */
import { execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redirectionRules } from '../../../src/core/redirection/index.ts';
import { Namespaces, OUTSIDE, ensureTools } from '../../support/interception/namespaces.ts';

const [APPLICATION, OURS, ISTIO] = [1000, 1533, 1337];

/** As Istio's init container has them (istio-iptables), with what the pod's annotation takes out. */
const ISTIOS = `*nat
:ISTIO_OUTPUT - [0:0]
:ISTIO_REDIRECT - [0:0]
-A OUTPUT -p tcp -j ISTIO_OUTPUT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
-A ISTIO_OUTPUT -p tcp --dport 443 -j RETURN
-A ISTIO_OUTPUT -m owner --uid-owner ${ISTIO} -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner ${ISTIO} -j RETURN
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
-A ISTIO_OUTPUT -j ISTIO_REDIRECT
COMMIT
`;
const AIRMESHS = redirectionRules(
  'ipv4',
  { toPort: 15_401, ports: [443], except: { uid: OURS, gid: OURS }, exceptUsers: [ISTIO] },
  { nat: true, filter: true },
);

/** Servers that say who they are. */
const servers = (places: Readonly<Record<string, string>>): string => `
const net = require('node:net'); let open = 0; const places = ${JSON.stringify(places)};
for (const [at, name] of Object.entries(places)) { const [host, port] = at.split('/');
  net.createServer((socket) => socket.end(name + '\\n')).listen(Number(port), host, () => { if (++open === Object.keys(places).length) console.log('ready'); }); }`;

const client = (port: number): string => `
const socket = require('node:net').connect(${port}, '${OUTSIDE.others}'); let text = '';
socket.on('data', (bytes) => (text += bytes)); socket.on('end', () => process.stdout.write(text)); socket.on('error', (error) => process.stdout.write(error.code));`;

describe.each([
  ['the mesh’s', [ISTIOS, AIRMESHS]],
  ['ours', [AIRMESHS, ISTIOS]],
] as const)('with %s first', (name, rules) => {
  let namespaces: Namespaces;
  const running: ChildProcess[] = [];

  const start = async (namespace: string, places: Readonly<Record<string, string>>): Promise<void> => {
    const child = namespaces.spawn(namespace, [process.execPath, '-e', servers(places)], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
  };

  const reached = async (uid: number, port: number): Promise<string> => {
    const child = namespaces.spawn(namespaces.pod, [process.execPath, '-e', client(port)], { who: { uid }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => (text += bytes.toString()));
    await once(child, 'close');
    return text.trim();
  };

  beforeAll(async () => {
    ensureTools();
    namespaces = new Namespaces(`m${name.length}`, []);
    for (const input of rules)
      execFileSync('ip', ['netns', 'exec', namespaces.pod, 'iptables-restore', '--noflush'], { input, stdio: ['pipe', 'ignore', 'pipe'] });
    await start(namespaces.outside, Object.fromEntries([80, 443, 5432].map((port) => [`${OUTSIDE.others}/${port}`, 'outside'])));
    await start(namespaces.pod, { '127.0.0.1/15001': 'mesh', '127.0.0.1/15401': 'airmesh' });
  });

  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    namespaces.remove();
  });

  it.each([
    ['an application’s HTTPS meets us', APPLICATION, 443, 'airmesh'],
    ['an application’s HTTP meets the mesh', APPLICATION, 80, 'mesh'],
    ['an application’s other connections meet the mesh', APPLICATION, 5432, 'mesh'],
    ['our Envoy’s HTTPS goes out', OURS, 443, 'outside'],
    ['our Envoy’s HTTP goes by the mesh, with its identity', OURS, 80, 'mesh'],
    ['the TLS that the mesh’s proxy originates goes out', ISTIO, 443, 'outside'],
    ['what the mesh’s proxy carries goes out', ISTIO, 80, 'outside'],
  ])('%s', async (_name, uid, port, where) => {
    expect(await reached(uid, port)).toBe(where);
  });
});
