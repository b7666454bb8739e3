import { expect, it } from 'vitest';
import { BundleKeeper } from './index.ts';
import type { RegisteredWebhook, WebhookRegistration } from './index.ts';

/** A registration in memory, and a keeper whose waits end when the test says so. */
function world(webhooks: RegisteredWebhook[] | undefined) {
  const told: string[] = [];
  const state = { webhooks, roots: 'A', fails: false, writes: 0 };
  let waited: PromiseWithResolvers<number> = Promise.withResolvers();
  let release: () => void = () => {};
  const registration: WebhookRegistration = {
    read: () => (state.fails ? Promise.reject(new Error('gone')) : Promise.resolve(state.webhooks)),
    trust: (names, authorities) => {
      state.writes++;
      state.webhooks = state.webhooks?.map((webhook) => (names.includes(webhook.name) ? { ...webhook, authorities } : webhook));
      return Promise.resolve();
    },
  };
  const keeper = new BundleKeeper({
    registration,
    authorities: () => state.roots,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        release = resolve;
        signal.addEventListener('abort', () => resolve());
        if (signal.aborted) resolve();
        waited.resolve(ms);
      }),
    onEvent: (event) => told.push(event.kind === 'trusted' ? `trusted ${event.webhooks.join()}` : event.problem),
  });
  /** How long it means to wait, once it has looked. */
  const looked = async (): Promise<number> => {
    const ms = await waited.promise;
    waited = Promise.withResolvers();
    return ms;
  };
  return { state, told, keeper, looked, pass: () => release() };
}

it('sets what differs, once, and again when it was taken away or is another', async () => {
  const { state, told, keeper, looked, pass } = world([{ name: 'a' }, { name: 'b', authorities: 'A' }]);
  expect(keeper.problem()).toMatch(/not been told yet/);
  expect(keeper.hasBeenTrusted).toBe(false);
  keeper.start();
  expect(await looked()).toBe(10_000);
  expect(keeper.problem()).toBeUndefined();
  pass();
  await looked();
  expect(state.writes).toBe(1);
  state.webhooks = [{ name: 'a' }, { name: 'b' }];
  pass();
  await looked();
  state.roots = 'A B';
  keeper.look();
  await looked();
  expect(state.webhooks).toEqual([
    { name: 'a', authorities: 'A B' },
    { name: 'b', authorities: 'A B' },
  ]);
  expect(told).toEqual(['trusted a', 'trusted a,b', 'trusted a,b']);
  state.fails = true;
  pass();
  await looked();
  expect(keeper.problem()).toMatch(/gone/);
  expect(keeper.hasBeenTrusted).toBe(true);
  await keeper.stop();
});

it('says once what is wrong, tries again soon, and forgets it when it is well', async () => {
  const { state, told, keeper, looked, pass } = world(undefined);
  state.fails = true;
  keeper.start();
  expect(await looked()).toBe(1_000);
  pass();
  await looked();
  expect(told).toEqual(['API servers cannot be told to trust the injector: gone']);
  state.fails = false;
  pass();
  await looked();
  expect(keeper.problem()).toMatch(/is missing; helm upgrade/);
  state.webhooks = [{ name: 'a', authorities: 'A' }];
  pass();
  await looked();
  expect(keeper.problem()).toBeUndefined();
  await keeper.stop();
});
