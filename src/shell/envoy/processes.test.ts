import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { hasEnded } from './processes.ts';

it('a process that runs has not ended; one that is killed has, and so has one that never was', async () => {
  const { pid = 0 } = spawn('sleep', ['60'], { stdio: 'ignore' });
  expect(await hasEnded(pid, 20)).toBe(false);
  process.kill(pid, 'SIGKILL');
  expect(await hasEnded(pid, 30_000)).toBe(true);
  expect(await hasEnded(pid, 0)).toBe(true);
});

it('one that nobody has asked about since it died, which holds its number alone, has ended', async () => {
  // A shell that becomes a program which never asks what became of its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await parent.stdout.take(1).toArray()) as [Buffer];
  const pid = Number(line.toString());
  process.kill(pid, 'SIGKILL');
  expect(await hasEnded(pid, 30_000)).toBe(true);
  // It is still there.
  expect(process.kill(pid, 0)).toBe(true);
  parent.kill('SIGKILL');
});
