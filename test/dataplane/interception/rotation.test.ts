/** Leaves, authorities and providers' keys are made anew while calls run. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/interception/clients.ts';
import { OPEN, ROTATED_KEY, World } from '../../support/interception/world.ts';

/** After each change. */
const CALLS = 20;

let world: World;
beforeAll(async () => {
  world = await World.create('r', OPEN, '80,443,8000');
});
afterAll(async () => world?.stop());

/** Whose certificate the host shows, and its fingerprint. */
async function shown(): Promise<string> {
  const script = `openssl s_client -connect api.openai.com:443 -servername api.openai.com </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -issuer`;
  return (await world.run(['sh', '-c', script])).out;
}

describe('under load, no call fails when', () => {
  it('a leaf, the authority and a provider’s key change', async () => {
    const load = world.load([process.execPath, program('load.mjs')]);
    await load.more(CALLS);
    const settings = OPEN;
    const first = await shown();

    await world.push(await world.orders({ settings }));
    await load.more(CALLS);
    const second = await shown();
    expect(second).not.toBe(first);

    // The next root is handed out; nobody who started before it is shown a certificate of it until they start anew.
    const next = await world.nextAuthority();
    next.announce();
    await world.push(await world.orders({ settings }));
    const youngLoad = world.load([process.execPath, program('load.mjs')]);
    await youngLoad.more(CALLS);
    await load.more(CALLS);
    const old = await load.end();
    next.sign();
    await world.push(await world.orders({ settings }));
    await youngLoad.more(CALLS);
    const third = await shown();
    expect(third).toContain('mesh-next');

    await world.push(await world.orders({ settings, openaiKey: ROTATED_KEY }));
    await world.seen();
    await world.curl('https://api.openai.com/v1/models');
    await world.curl(
      'https://api.openai.com/v1/chat/completions',
      '-H',
      'content-type: application/json',
      '-d',
      '{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}',
    );
    const { seen } = await world.seen();
    expect(seen.at(-1)?.headers['authorization']).toBe(`Bearer ${ROTATED_KEY}`);

    await youngLoad.more(CALLS);
    const young = await youngLoad.end();
    expect(old).toMatchObject({ total: 0, faults: [] });
    expect(young).toMatchObject({ total: 0, faults: [] });
  });

  it('hosts come and go', async () => {
    const load = world.load([process.execPath, program('load.mjs')]);
    await load.more(CALLS);
    for (const passedHosts of [['api.deepseek.com'], [], ['api.anthropic.com'], []]) {
      await world.push(await world.orders({ settings: { ...OPEN, passedHosts } }));
      await load.more(CALLS);
    }
    const { total, faults } = await load.end();
    expect(total, faults.join('\n')).toBe(0);
  });
});
