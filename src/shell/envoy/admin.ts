import { request } from 'node:http';

const TIMEOUT_MS = 2000;

/** Asks Envoy's administration on its socket. Rejects where it does not answer. */
export function askAdmin(socketPath: string, method: 'GET' | 'POST', path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: TIMEOUT_MS, headers: { host: 'envoy' } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`Envoy's administration answered ${answer.statusCode} to ${path}`));
      });
      answer.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`Envoy's administration did not answer within ${TIMEOUT_MS} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}

/** What Envoy says of the configuration that it runs. */
export interface EnvoyState {
  readonly live: boolean;
  /** Updates that were refused since it started: how many, by what they were for. */
  readonly rejected: ReadonlyMap<string, number>;
  /** Updates that were taken since it started. */
  readonly accepted: number;
}

const UPDATE = /^(cluster_manager\.cds|listener_manager\.lds|http\.\S+\.rds\.\S+?|sds\.\S+?)\.(update_success|update_rejected): (\d+)$/;

export async function envoyState(socketPath: string): Promise<EnvoyState> {
  const [stats, ready] = await Promise.all([
    askAdmin(socketPath, 'GET', '/stats?filter=update_(success|rejected)'),
    askAdmin(socketPath, 'GET', '/ready').then(
      (text) => text.startsWith('LIVE'),
      () => false,
    ),
  ]);
  const rejected = new Map<string, number>();
  let accepted = 0;
  for (const line of stats.split('\n')) {
    const [, what = '', kind, count = '0'] = UPDATE.exec(line) ?? [];
    if (kind === 'update_success') accepted += Number(count);
    else if (kind === 'update_rejected') rejected.set(what, Number(count));
  }
  return { live: ready, rejected, accepted };
}
