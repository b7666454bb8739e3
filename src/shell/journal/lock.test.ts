import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderInUse, folderHolder, lockFolder } from './lock.ts';

const RACERS = 3;
const ROUNDS = 2;
/** A process that is none: its number is given again, so its start tells. */
const GONE = JSON.stringify({ pid: process.pid, started: '1' });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Each racer's word, in any order. */
async function race(): Promise<string[]> {
  const start = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from({ length: RACERS }, () => new Worker(new URL('./lock.test-support.ts', import.meta.url), { workerData: { folder, start } }));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const words = workers.map((worker) => new Promise<string>((resolve) => worker.once('message', resolve)));
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  const said = await Promise.all(words);
  await Promise.all(workers.map((worker) => worker.terminate()));
  return said;
}

describe('a folder', () => {
  it('is one process’s until it lets go', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderInUse);
    expect(folderHolder(folder)).toBe(process.pid);
    lock.release();
    expect(folderHolder(folder)).toBeUndefined();
    lockFolder(folder).release();
  });

  it('is nobody’s when its process was killed', async () => {
    const script = `import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}).then(({ lockFolder }) => { lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1e3); })`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(folderHolder(folder)).toBe(holder.pid);
    expect(() => lockFolder(folder)).toThrow(`in use by process ${holder.pid}`);
    const exited = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exited;
    lockFolder(folder).release();
  });

  it('that a process left behind is taken over by one of those that try at once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      writeFileSync(join(folder, 'lock'), GONE);
      expect((await race()).toSorted()).toEqual([...Array.from({ length: RACERS - 1 }, () => 'in use'), 'locked']);
    }
  });
});
