/** A sidecar's Envoy is killed while its pod calls: what is governed fails at once and in a way that clients know, and comes back. Needs root and iptables. */
import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/interception/clients.ts';
import type { Seen } from '../../support/interception/outside.ts';
import { KEYS, OPEN, World } from '../../support/interception/world.ts';
import { until } from '../../support/mesh.ts';

/** After each change. */
const CALLS = 20;
const KILLS = 3;
/** Refused, or cut: clients try again by themselves. Nothing hangs. */
const CLEAR = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|aborted)$/;
/** curl's: not connected, TLS or the answer cut. Not its 28, a time that ran out. */
const CLEAR_TO_CURL: readonly number[] = [7, 16, 35, 52, 55, 56, 92];

/** What is promised of a machine that does nothing else, on one that does. */
const within = (ms: number): number => ms * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

let world: World;
beforeAll(async () => {
  // Port 5432 is not redirected.
  world = await World.create('f', OPEN, '80,443,8000');
});
afterAll(async () => world?.stop());

describe('when Envoy is killed under load', () => {
  it('governed calls fail clearly until it is back, and what is not redirected flows', async () => {
    const load = world.load([process.execPath, program('load.mjs')]);
    await load.more(CALLS);
    const untouched = world.run([process.execPath, program('hold.mjs'), 'db.shop.svc', '5432', '5000']);
    const backMs: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const pid = world.envoyPid();
      expect(pid).toBeDefined();
      process.kill(pid ?? 0, 'SIGKILL');
      const killed = performance.now();
      const codes: number[] = [];
      await until('a call is answered', async () => {
        const { code, status } = await world.curl('--max-time', '5', 'https://api.openai.com/v1/models');
        codes.push(code);
        return status === '200';
      });
      backMs.push(Math.round(performance.now() - killed));
      expect(codes.slice(0, -1).filter((code) => !CLEAR_TO_CURL.includes(code))).toEqual([]);
      expect(world.envoyPid()).not.toBe(pid);
      await load.more(CALLS);
    }
    process.stderr.write(`Envoy was back after ${backMs.join(', ')} ms\n`);
    const { kinds, total } = await load.end();
    // Under load some were in flight each time.
    expect(total).toBeGreaterThan(0);
    expect(kinds.filter((kind) => !CLEAR.test(kind))).toEqual([]);
    expect(Math.min(...backMs)).toBeLessThan(within(2_000));
    expect(JSON.parse((await untouched).out)).toEqual({ echoes: 'all' });
  });

  it('what is redirected and passes is refused until then, and flows again', async () => {
    const pid = world.envoyPid();
    process.kill(pid ?? 0, 'SIGKILL');
    const codes: number[] = [];
    await until('it flows', async () => {
      const { code, status } = await world.curl('--max-time', '5', 'http://other.example/');
      codes.push(code);
      return status === '200';
    });
    expect(codes.slice(0, -1).filter((code) => !CLEAR_TO_CURL.includes(code))).toEqual([]);
  });

  it('no provider has seen another key, and every call that it answered is in the books once', async () => {
    arrived.push(...(await world.seen()).seen);
    const chats = arrived.filter(({ at, path }) => at === 'providers' && path === '/v1/chat/completions');
    expect(chats.length).toBeGreaterThan(CALLS);
    expect(chats.filter(({ headers }) => headers['authorization'] !== `Bearer ${KEYS.openai}`)).toEqual([]);
    const ids = await idsInBooks();
    expect(new Set(ids).size).toBe(ids.length);
    // Those that were cut on the way are there as well, by an estimate.
    expect(ids.length).toBeGreaterThanOrEqual(chats.length);
  });
});

/** What came to servers outside, however often it is asked. */
const arrived: Seen[] = [];

/** Of all records, page by page. */
async function idsInBooks(): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { body } = await world.curl(`http://127.0.0.1:15420/records${after === '' ? '' : `?after=${encodeURIComponent(after)}`}`);
    const page = JSON.parse(body) as { readonly records: readonly { readonly id: string }[]; readonly next: string | null };
    ids.push(...page.records.map(({ id }) => id));
    after = page.next;
  }
  return ids;
}
