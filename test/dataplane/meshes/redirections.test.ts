/** A pod in which a mesh redirects and so do we: each connection meets one of the two, whichever came first. Needs root and iptables. */
import { execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { injectPod } from '../../../src/core/injection/index.ts';
import type { Pod } from '../../../src/core/injection/index.ts';
import { LABELLED, SETTINGS, podWith } from '../../../src/core/injection/pods.test-support.ts';
import { MESHES } from '../../../src/core/meshes/index.ts';
import { redirectionRules } from '../../../src/core/redirection/index.ts';
import { besideApplication } from '../../../src/main/controller/injected.ts';
import { Namespaces, OUTSIDE, WIRE, ensureTools } from '../../support/interception/namespaces.ts';

const [APPLICATION, OURS] = [1000, 1533];
const MESH_USERS = { istio: 1337, linkerd: 2102 } as const;
type Meshed = keyof typeof MESH_USERS;

/** What our injector makes of a pod beside a mesh, HTTPS being ours. */
function injectedBeside(mesh: Meshed): Pod {
  const beside = besideApplication({ imagePullPolicy: 'Always', interceptedPorts: [], controllers: ['airmesh:15010'] }, mesh);
  const verdict = injectPod(podWith(), LABELLED, { ...SETTINGS, intercept: true }, [beside]);
  if (verdict.kind !== 'injected') throw new Error(verdict.kind);
  return verdict.pod;
}

/** Our rules, as the pod's init container is told them. */
function airmeshs(mesh: Meshed): string {
  const args = (injectedBeside(mesh).spec.initContainers?.[0]?.['args'] ?? []) as readonly string[];
  const told = (flag: string): number[] => (args[args.indexOf(flag) + 1] ?? '').split(',').map(Number);
  const [uid = 0] = told('--except');
  const [toPort = 0] = told('--to-port');
  return redirectionRules(
    'ipv4',
    { toPort, ports: told('--ports'), except: { uid, gid: uid }, exceptUsers: told('--except-mesh'), reached: told('--reached') },
    { redirect: true, refuse: true, reach: true },
  );
}

/** Ports that the pod takes out of its mesh's redirection. */
const excluded = (mesh: Meshed): string => injectedBeside(mesh).metadata.annotations?.[MESHES[mesh].words.outboundPorts] ?? '';

/** As meshes' init containers have them (istio-iptables; linkerd2-proxy-init), with the ports that they leave alone. */
const THEIRS: Readonly<Record<Meshed, (ports: string) => string>> = {
  istio: (ports) => `*nat
:ISTIO_OUTPUT - [0:0]
:ISTIO_REDIRECT - [0:0]
-A OUTPUT -p tcp -j ISTIO_OUTPUT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
${
  ports === ''
    ? ''
    : `${ports
        .split(',')
        .map((port) => `-A ISTIO_OUTPUT -p tcp --dport ${port} -j RETURN`)
        .join('\n')}\n`
}-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
-A ISTIO_OUTPUT -j ISTIO_REDIRECT
:ISTIO_INBOUND - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
${ports === '' ? '' : '-A ISTIO_INBOUND -p tcp --dport 15420 -j RETURN\n'}-A ISTIO_INBOUND -p tcp -j REDIRECT --to-ports 15006
COMMIT
`,
  linkerd: (ports) => `*nat
:PROXY_INIT_OUTPUT - [0:0]
-A OUTPUT -j PROXY_INIT_OUTPUT
-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102 -j RETURN
-A PROXY_INIT_OUTPUT -o lo -j RETURN
-A PROXY_INIT_OUTPUT -p tcp -m multiport --dports ${ports} -j RETURN
-A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-port 15001
-A PREROUTING -p tcp --dport 15420 -j RETURN
-A PREROUTING -p tcp -j REDIRECT --to-port 15006
COMMIT
`,
};

/** Servers that say who they are. */
const servers = (places: Readonly<Record<string, string>>): string => `
const net = require('node:net'); let open = 0; const places = ${JSON.stringify(places)};
for (const [at, name] of Object.entries(places)) { const [host, port] = at.split('/');
  net.createServer((socket) => socket.end(name + '\\n')).listen(Number(port), host, () => { if (++open === Object.keys(places).length) console.log('ready'); }); }`;

const client = (port: number, host: string): string => `
const socket = require('node:net').connect(${port}, '${host}'); let text = '';
socket.on('data', (bytes) => (text += bytes)); socket.on('end', () => process.stdout.write(text)); socket.on('error', (error) => process.stdout.write(error.code));`;

const CASES = (['istio', 'linkerd'] as const).flatMap((mesh) =>
  [true, false].flatMap((isTheirsFirst) =>
    // Istio's injector that was asked before ours knows nothing of our ports; Linkerd's comes behind ours always.
    (mesh === 'istio' ? [true, false] : [true]).map((isTold) => ({ mesh, isTheirsFirst, isTold })),
  ),
);

describe.each(CASES)('beside $mesh, its rules first: $isTheirsFirst, told of our ports: $isTold', ({ mesh, isTheirsFirst, isTold }) => {
  const theirs = THEIRS[mesh](isTold ? excluded(mesh) : '');
  const rules = isTheirsFirst ? [theirs, airmeshs(mesh)] : [airmeshs(mesh), theirs];
  const theirUser = MESH_USERS[mesh];
  let namespaces: Namespaces;
  const running: ChildProcess[] = [];

  const start = async (namespace: string, places: Readonly<Record<string, string>>): Promise<void> => {
    const child = namespaces.spawn(namespace, [process.execPath, '-e', servers(places)], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
  };

  const reached = async (uid: number, port: number, host: string = OUTSIDE.others): Promise<string> => {
    const from = host === WIRE.pod ? namespaces.outside : namespaces.pod;
    const child = namespaces.spawn(from, [process.execPath, '-e', client(port, host)], { who: { uid }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => (text += bytes.toString()));
    await once(child, 'close');
    return text.trim();
  };

  beforeAll(async () => {
    ensureTools();
    namespaces = new Namespaces(`m${CASES.findIndex((each) => each.mesh === mesh && each.isTold === isTold && each.isTheirsFirst === isTheirsFirst)}`, []);
    for (const input of rules)
      execFileSync('ip', ['netns', 'exec', namespaces.pod, 'iptables-restore', '--noflush'], { input, stdio: ['pipe', 'ignore', 'pipe'] });
    await start(namespaces.outside, Object.fromEntries([80, 443, 5432, 15_010].map((port) => [`${OUTSIDE.others}/${port}`, 'outside'])));
    await start(namespaces.pod, {
      '127.0.0.1/15001': 'mesh',
      '0.0.0.0/15006': 'mesh',
      '127.0.0.1/15401': 'airmesh',
      '0.0.0.0/15420': 'probes',
      '0.0.0.0/8080': 'application',
    });
  });

  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    namespaces.remove();
  });

  it.each([
    ['an application’s HTTPS meets us', APPLICATION, 443, 'airmesh'],
    ['an application’s HTTP meets the mesh', APPLICATION, 80, 'mesh'],
    ['an application’s other connections meet the mesh', APPLICATION, 5432, 'mesh'],
    ['our Envoy’s HTTPS goes out, by the mesh where it was not told', OURS, 443, isTold ? 'outside' : 'mesh'],
    ['our processor’s way to controllers is its own, where the mesh was told', OURS, 15_010, isTold ? 'outside' : 'mesh'],
    ['our Envoy’s HTTP goes by the mesh, with its identity', OURS, 80, 'mesh'],
    ['the TLS that the mesh’s proxy originates goes out', theirUser, 443, 'outside'],
    ['what the mesh’s proxy carries goes out', theirUser, 80, 'outside'],
  ])('%s', async (_name, uid, port, where) => {
    expect(await reached(uid, port)).toBe(where);
  });

  it.each([
    ['probes of our sidecar reach it', 15_420, 'probes'],
    ['calls of the application reach the mesh', 8080, 'mesh'],
  ])('%s', async (_name, port, where) => {
    expect(await reached(APPLICATION, port, WIRE.pod)).toBe(where);
  });
});
