import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLACEHOLDER_KEY, SIDECAR_PORTS } from '../../core/control/index.ts';
import { trustVariables } from '../../core/interception/index.ts';
import { NoNamespace, openNetwork, resolversOf } from '../../shell/network/index.ts';
import type { OwnNetwork } from '../../shell/network/index.ts';
import { redirect } from '../../shell/redirection/index.ts';
import { StartError } from '../start-error.ts';
import type { RedirectedConnections } from './settings.ts';
import type { TrustPlace } from './trust.ts';

/** Where names are asked for, in the program's own namespace. */
const NAMES_PORT = 15_453;

/** Variables by which SDKs are given keys. The program has none, whatever the environment holds. */
const KEYS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY', 'DEEPSEEK_API_KEY', 'AZURE_OPENAI_API_KEY'];

/** Options, of which there may be others. */
const JAVA = 'JAVA_TOOL_OPTIONS';

/** Where SDKs always want one to start. */
const WANTED_KEYS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'DEEPSEEK_API_KEY'];

/** A network for one program, whose connections come to an Envoy outside it. */
export interface InterceptedNetwork {
  readonly redirected: RedirectedConnections;
  readonly trust: TrustPlace;
  /** Runs a program in it to its end: its exit code. A signal that aborts `interruption` is passed on. */
  run(command: readonly string[], environment: NodeJS.ProcessEnv, interruption: AbortSignal): Promise<number>;
  close(): void;
}

/** Throws a StartError where the machine does not allow it. */
export async function openInterceptedNetwork(workload: string, environment: NodeJS.ProcessEnv): Promise<InterceptedNetwork> {
  const network = await open(environment);
  const settings = { toPort: SIDECAR_PORTS.outbound, ports: 'all' as const, namesToPort: NAMES_PORT };
  const done = redirect(settings, network.hasIpv6, network.run);
  if (!done.ok) {
    network.close();
    throw new StartError(`The program’s connections cannot be taken in: ${done.error}.`, 'Install iptables, or call the address of --listen by a base URL.');
  }
  const hosts = network.hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  const at = (port: number) => hosts.map((host) => ({ host, port, networkNamespace: network.path }));
  const [listen = { host: '127.0.0.1', port: NAMES_PORT }] = at(NAMES_PORT);
  // The program's user may read it, which the state folder is not for.
  const trustFolder = mkdtempSync(join(tmpdir(), 'airmesh-trust-'));
  chmodSync(trustFolder, 0o755);
  const others = environment['NODE_EXTRA_CA_CERTS'];
  return {
    redirected: { workload, addresses: at(SIDECAR_PORTS.outbound), resolver: { listen, servers: resolversOf() } },
    trust: { folder: trustFolder, ...(others === undefined || others === '' ? {} : { others }) },
    run: (command, own, interruption) => runIn(network, command, environmentOf(own, trustFolder), interruption),
    close: () => {
      network.close();
      rmSync(trustFolder, { recursive: true, force: true });
    },
  };
}

/**
 * Only root: Envoy listens in the namespace and calls from outside it, and without rights over the machine's own network the
 * kernel does not let it come back out.
 */
async function open(environment: NodeJS.ProcessEnv): Promise<OwnNetwork> {
  if (process.getuid?.() !== 0)
    throw new StartError('--intercept needs root, to give the program a network of its own.', 'Run it with sudo; the program itself runs as you.');
  // By sudo, the program is that of who called it.
  const number = (name: string): number => (/^\d+$/.test(environment[name] ?? '') ? Number(environment[name]) : 0);
  try {
    return await openNetwork({ uid: number('SUDO_UID'), gid: number('SUDO_GID') });
  } catch (error) {
    if (!(error instanceof NoNamespace)) throw error;
    throw new StartError(`There is no network namespace to be had for the program: ${error.message}.`, 'Install iproute2 and util-linux.');
  }
}

/** What the program finds: whom to trust, which is whom it trusted before and this run's authority, and no key. */
function environmentOf(own: NodeJS.ProcessEnv, trustFolder: string): NodeJS.ProcessEnv {
  const keyless = Object.fromEntries(Object.entries(own).filter(([name]) => !KEYS.includes(name)));
  const trust = trustVariables(trustFolder).map(({ name, value }) => [name, name === JAVA && own[JAVA] !== undefined ? `${own[JAVA]} ${value}` : value]);
  return { ...keyless, ...Object.fromEntries(trust), ...Object.fromEntries(WANTED_KEYS.map((name) => [name, PLACEHOLDER_KEY])) };
}

function runIn(network: OwnNetwork, command: readonly string[], env: NodeJS.ProcessEnv, interruption: AbortSignal): Promise<number> {
  const [program = '', ...args] = [...network.inside, ...command];
  const child = spawn(program, args, { env, stdio: 'inherit' });
  interruption.addEventListener('abort', () => void child.kill('SIGTERM'), { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
