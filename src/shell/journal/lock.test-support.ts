/** A thread that tries to lock a folder when it is told, says whether it has, and keeps it until it is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { FolderInUse, lockFolder } from './lock.ts';

const { folder, start } = workerData as { readonly folder: string; readonly start: Int32Array };

parentPort?.postMessage('ready');
Atomics.wait(start, 0, 0);
try {
  lockFolder(folder);
  parentPort?.postMessage('locked');
} catch (error) {
  parentPort?.postMessage(error instanceof FolderInUse ? 'in use' : String(error));
}
parentPort?.on('message', () => undefined);
