import { unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Makes way for a new listener: a socket file that nobody listens on any more is removed. Rejects where somebody does,
 * and where the path is no socket of ours to remove.
 */
export async function clearSocketFile(path: string): Promise<void> {
  const answer = await knock(path);
  if (answer === undefined) throw new Error(`another process is listening on ${path}; stop it, or choose another state folder`);
  if (answer === 'ENOENT') return;
  if (answer !== 'ECONNREFUSED') throw new Error(`${path} cannot be used as a socket (${answer}); move it away`);
  unlinkSync(path);
}

/** The error of a connection attempt; `undefined` where it was accepted. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Runs what creates a file so that only its owner can open it, from its first moment on. */
export const ownerOnly = <T>(create: () => T): T => masked(0o177, create);

/** Runs what creates a file so that every user can open it. */
export const forAll = <T>(create: () => T): T => masked(0o111, create);

function masked<T>(mask: number, create: () => T): T {
  const before = process.umask(mask);
  try {
    return create();
  } finally {
    process.umask(before);
  }
}
