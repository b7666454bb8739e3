import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiServerBinaries } from './binaries.ts';
import { connect } from './client.ts';

/** How to reach it, for whoever may do everything there. */
export interface ApiServerAccess {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
  /** A file that holds all of that. */
  readonly kubeconfig: string;
}

export interface RunningApiServer extends ApiServerAccess {
  /** Of its etcd, in plain HTTP. */
  readonly store: string;
  /** Kills the API server alone. */
  halt(): Promise<void>;
  /** Kills it, where it runs, and starts it again at the same address, on the same etcd. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Another process may take a port between its choice and its use. */
const ATTEMPTS = 3;
const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/** A real API server on loopback, with an etcd of its own, and nothing else: no controllers, no nodes. State is thrown away at the end. */
export async function startApiServer(binaries: ApiServerBinaries): Promise<RunningApiServer> {
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-apiserver-'));
    const processes: Process[] = [];
    const stop = async (): Promise<void> => {
      // The API server first: without its etcd it would wait for it.
      for (const process of processes.toReversed()) await process.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      return { ...(await startIn(folder, binaries, processes)), stop };
    } catch (error) {
      await stop();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function startIn(folder: string, binaries: ApiServerBinaries, processes: Process[]): Promise<Omit<RunningApiServer, 'stop'>> {
  const [client, peer, secure] = await Promise.all([freePort(), freePort(), freePort()]);
  const store = `http://127.0.0.1:${client}`;
  processes.push(
    start(folder, binaries.etcd, [
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${store}`,
      `--advertise-client-urls=${store}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ]),
  );
  const token = randomBytes(32).toString('hex');
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'service-accounts.key'), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }), {
    mode: 0o600,
  });
  const args = [
    `--etcd-servers=${store}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, 'service-accounts.key')}`,
    `--service-account-signing-key-file=${join(folder, 'service-accounts.key')}`,
  ];
  const url = `https://127.0.0.1:${secure}`;
  // It signs a certificate for itself where there is none.
  const certificate = join(folder, 'certificates', 'apiserver.crt');
  const access = (): ApiServerAccess => ({ url, ca: readFileSync(certificate, 'utf8'), token, kubeconfig: join(folder, 'kubeconfig') });
  const begin = async (): Promise<void> => {
    const server = start(folder, binaries['kube-apiserver'], args);
    processes.push(server);
    await until(server, () => existsSync(certificate) && isReady(access()));
  };
  await begin();
  writeFileSync(access().kubeconfig, kubeconfigOf(access()), { mode: 0o600 });
  const halt = async (): Promise<void> => {
    if (processes.length > 1) await processes.pop()?.stop();
  };
  const restart = async (): Promise<void> => {
    await halt();
    await begin();
  };
  return { ...access(), store, halt, restart };
}

interface Process {
  readonly log: () => string;
  readonly ended: () => boolean;
  stop(): Promise<void>;
}

function start(folder: string, path: string, args: readonly string[]): Process {
  const file = join(folder, `${path.split('/').at(-1)}.log`);
  const log = openSync(file, 'a');
  const child: ChildProcess = spawn(path, args, { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    log: () => readFileSync(file, 'utf8').split('\n').slice(-20).join('\n'),
    ended: () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
    stop: async () => {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}

async function until(process: Process, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await condition())) {
    if (process.ended() || Date.now() > deadline) throw new Error(`the API server did not come up:\n${process.log()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const isReady = async (access: ApiServerAccess): Promise<boolean> =>
  (
    await connect(access)
      .send('GET', '/readyz')
      .catch(() => undefined)
  )?.status === 200;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const kubeconfigOf = ({ url, ca, token }: Pick<ApiServerAccess, 'url' | 'ca' | 'token'>): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
