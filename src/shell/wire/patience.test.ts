import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { patience } from './patience.ts';

let server: Server;
let ours: Socket;
let theirs: Socket;

beforeEach(async () => {
  server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  ours = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  theirs = await accepted;
});
afterEach(() => {
  ours.destroy();
  theirs.destroy();
  server.close();
});

/** This process does not run. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** What happens first: `answer` is what comes by the socket, and ends the waiting. */
function first(ms: number, meanwhile: () => void): Promise<'answered' | 'over'> {
  return new Promise((resolve) => {
    const end = patience(ms, () => resolve('over'));
    ours.once('data', () => {
      end();
      resolve('answered');
    });
    meanwhile();
  });
}

it('hears what is there already before it ends', async () => {
  const answered = first(100, () => {
    theirs.write('answer');
    stall(300);
  });
  expect(await answered).toBe('answered');
});

it('does not count a while in which this process did not run, nor what it would have said in it', async () => {
  const answered = first(100, () => {
    // Leaves when this process runs again, and is answered after that.
    setImmediate(() => ours.write('question'));
    theirs.once('data', () => theirs.write('answer'));
    stall(1_000);
  });
  expect(await answered).toBe('answered');
});

it('ends where nothing comes', async () => {
  expect(await first(100, () => stall(1_000))).toBe('over');
});

it('is over for good once it is ended', async () => {
  let isOver = false;
  patience(10, () => (isOver = true))();
  await first(50, () => undefined);
  expect(isOver).toBe(false);
});
