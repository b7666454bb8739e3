import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** Whether an address can be listened on. Port 0 always can. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export interface PortHolder {
  readonly name: string;
  readonly pid: number;
}

/** Who listens on a TCP port; `undefined` where the system does not tell. */
export function portHolder(port: number): PortHolder | undefined {
  const inode = listeningInode(port);
  if (inode === undefined) return undefined;
  for (const pid of numericNames('/proc')) {
    for (const descriptor of numericNames(`/proc/${pid}/fd`)) {
      try {
        if (readlinkSync(`/proc/${pid}/fd/${descriptor}`) !== `socket:[${inode}]`) continue;
        return { name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), pid: Number(pid) };
      } catch {
        // Gone meanwhile, or not ours to look at.
      }
    }
  }
  return undefined;
}

/** Fields of /proc/net/tcp: local address as hex IP:PORT, state 0A for listening, and the socket's inode. */
function listeningInode(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    try {
      for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
        const fields = line.trim().split(/\s+/);
        if (fields[1]?.endsWith(suffix) === true && fields[3] === '0A') return fields[9];
      }
    } catch {
      // No /proc: another system.
    }
  }
  return undefined;
}

function numericNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
