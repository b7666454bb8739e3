import { connect as connectHttp2 } from 'node:http2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { TestCluster, writeToken } from '../../../test/support/tokens.ts';
import type { SidecarState } from '../../core/control/index.ts';
import { MAX_STATE_BYTES } from './edition.ts';
import { POLICY_METHODS } from './methods.ts';
import { TestController } from './service.test-support.ts';
import { stateOf } from './states.test-support.ts';

const SOON = { timeout: 40_000, interval: 5 };
const controllers: TestController[] = [];

afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.close();
});

async function start(...wishes: Parameters<typeof TestController.start>): Promise<TestController> {
  const controller = await TestController.start(...wishes);
  controllers.push(controller);
  return controller;
}

const A = 'shop/checkout';
const B = 'shop/search';
const version = (workload: string, number: number): SidecarState => stateOf(workload, { version: `${workload}@${number}` });

describe('a sidecar', () => {
  it('gets the newest state of its own workload, and each newer one, and says that it applies it', async () => {
    const controller = await start({ states: [version(A, 1), version(B, 1)] });
    const pod = controller.cluster.addPod(A);
    const sidecar = controller.sidecar(pod);
    await vi.waitFor(
      () => expect(controller.distributor.views()).toMatchObject([{ workload: A, isConnected: true, applied: `${A}@1`, program: '1.2.3' }]),
      SOON,
    );
    controller.publish(version(A, 2), version(B, 1));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@2`), SOON);
    expect(sidecar.states.map((state) => state.version)).toEqual([`${A}@1`, `${A}@2`]);
    expect(controller.distributor.views()[0]?.pod).toEqual({ namespace: 'shop', name: pod.name, uid: pod.uid });
    expect(controller.events.map(({ kind }) => kind)).toEqual(['sidecar_joined', 'state_applied', 'state_applied']);
    await vi.waitFor(() => expect(controller.changes).toBeGreaterThan(0), SOON);
  });

  it('is told to wait where its workload has no state yet, and gets it when it is there', async () => {
    const controller = await start({ states: [version(B, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(sidecar.heard).toEqual([{ kind: 'waiting', reason: `no policies are known for ${A} yet` }]), SOON);
    controller.publish(version(A, 1), version(B, 1));
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
  });

  it('is not served before the controller knows anything', async () => {
    const controller = await start();
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(sidecar.link.state.lastError?.message).toMatch(/this controller has not read the policies yet \(UNAVAILABLE\)$/), SOON);
    controller.publish(version(A, 1));
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
    expect(controller.cluster.reviews).toBe(1);
  });

  it('that refuses a state is seen to, with its reason and what it goes on with; it is not told the same again', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@1`), SOON);
    sidecar.refuses = 'Envoy says no';
    controller.publish(version(A, 2));
    await vi.waitFor(
      () => expect(controller.distributor.views()).toMatchObject([{ applied: `${A}@1`, refused: { version: `${A}@2`, reason: 'Envoy says no' } }]),
      SOON,
    );
    expect(controller.events.at(-1)).toMatchObject({ kind: 'state_refused', reason: 'Envoy says no' });
    sidecar.link.report();
    sidecar.refuses = undefined;
    controller.publish(version(A, 3));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@3`), SOON);
    expect(controller.distributor.views()[0]).not.toHaveProperty('refused');
    expect(sidecar.states.map((state) => state.version)).toEqual([`${A}@1`, `${A}@2`, `${A}@3`]);
  });

  it('that comes back with the newest is told so in a word, and gets nothing twice', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@1`), SOON);
    const successor = await start({ cluster: controller.cluster, authority: controller.authority, states: [version(A, 1)] });
    const other = successor.sidecar(controller.cluster.addPod(A));
    other.report = sidecar.report;
    await vi.waitFor(() => expect(other.heard).toEqual([{ kind: 'current', version: `${A}@1` }]), SOON);
  });

  it('that is slow skips what is between', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    sidecar.dawdles = true;
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
    for (let number = 2; number <= 9; number += 1) controller.publish(version(A, number));
    sidecar.dawdles = false;
    sidecar.answer(`${A}@1`);
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@9`), SOON);
    expect(sidecar.states.map((state) => state.version)).toEqual([`${A}@1`, `${A}@9`]);
  });

  it('that is gone is known for a while, and found again', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const access = controller.accessFor(pod);
    controller.sidecar(pod, access).link.close();
    const sidecar = controller.sidecar(pod, access);
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@1`), SOON);
    sidecar.close();
    await vi.waitFor(() => expect(controller.distributor.views()).toMatchObject([{ isConnected: false, applied: `${A}@1` }]), SOON);
    controller.sidecar(pod, access);
    await vi.waitFor(() => expect(controller.distributor.views()).toMatchObject([{ isConnected: true }]), SOON);
  });

  it('of which there are two keeps the newer stream', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const [older, newer] = [controller.sidecar(pod), controller.sidecar(pod)];
    await vi.waitFor(() => expect(older.states.length + newer.states.length).toBeGreaterThan(1), SOON);
    await vi.waitFor(() => expect([older, newer].map(({ link }) => link.state.lastError?.message).join()).toMatch(/a newer stream of pod\//), SOON);
    expect(controller.distributor.views()).toHaveLength(1);
  });

  it('tells how keys fare, and for which hosts the application has its own', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(controller.distributor.views()).toHaveLength(1), SOON);
    const keys = [{ ref: 'shop/openai', totalRejections: 3, used: true, isRefused: true, lastRejectedAt: 5 }];
    sidecar.say({ keys, ownKeysFor: ['api.openai.com'] });
    await vi.waitFor(() => expect(controller.distributor.views()).toMatchObject([{ keys, ownKeysFor: ['api.openai.com'] }]), SOON);
  });

  it('finds a controller that comes back at the same address', async () => {
    const first = await TestController.start({ states: [version(A, 1)] });
    const pod = first.cluster.addPod(A);
    const holder = await start({ cluster: first.cluster, authority: first.authority });
    const sidecar = holder.sidecar(pod, holder.accessFor(pod), [first.address]);
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
    await first.close();
    const second = await start({ cluster: first.cluster, authority: first.authority, port: first.port, states: [version(A, 2)] });
    await vi.waitFor(() => expect(second.distributor.views()[0]?.applied).toBe(`${A}@2`), SOON);
  });

  it('with a state that is too large is told nothing, and seen to be behind', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@1`), SOON);
    controller.publish(stateOf(A, { version: 'large', controllerRoots: 'x'.repeat(MAX_STATE_BYTES) }));
    await vi.waitFor(
      () => expect(controller.distributor.views()[0]?.refused).toEqual({ version: 'large', reason: expect.stringMatching(/^its \d+ bytes are more than/) }),
      SOON,
    );
    expect(sidecar.states).toHaveLength(1);
    controller.publish(version(A, 2));
    await vi.waitFor(() => expect(controller.distributor.views()[0]?.applied).toBe(`${A}@2`), SOON);
  });
});

describe('who does not read', () => {
  it('makes nobody else wait, and little for it grows', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const stuck = controller.cluster.addPod(A);
    const session = connectHttp2(`https://localhost:${controller.port}`, { ca: controller.authority.certificate, settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    controller.keep({ close: () => session.destroy() });
    const stream = session.request({
      ':method': 'POST',
      ':path': POLICY_METHODS.Follow.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'airmesh-protocol': '1',
      authorization: `Bearer ${controller.cluster.tokenFor(stuck)}`,
    });
    stream.on('error', () => undefined);
    const report = Buffer.from('\u0000\u0000\u0000\u0000\u0003\u000a\u00011', 'latin1');
    stream.write(report);
    await vi.waitFor(() => expect(controller.distributor.views()).toHaveLength(1), SOON);
    const others = Array.from({ length: 5 }, () => controller.sidecar(controller.cluster.addPod(A)));
    await vi.waitFor(() => expect(others.every(({ states }) => states.length === 1)).toBe(true), SOON);
    for (let number = 2; number <= 200; number += 1) controller.publish(version(A, number));
    await vi.waitFor(() => expect(others.every(({ report: { applied } }) => applied === `${A}@200`)).toBe(true), SOON);
  });
});

describe('who calls', () => {
  it.each<[string, (controller: TestController) => { token: string }, RegExp]>([
    ['a token of another audience', ({ cluster }) => ({ token: cluster.tokenFor(cluster.addPod(A), { audience: 'vault' }) }), /the token is not for airmesh/],
    ['a token that has ended', ({ cluster }) => ({ token: cluster.tokenFor(cluster.addPod(A), { validMs: -1 }) }), /the token has ended/],
    ['a token of another cluster', ({ cluster }) => ({ token: new TestCluster('there').tokenFor(cluster.addPod(A)) }), /is none of this cluster/],
    [
      'the token of a pod that was deleted',
      ({ cluster }) => {
        const pod = cluster.addPod(A);
        cluster.deletePod(pod);
        return { token: cluster.tokenFor(pod) };
      },
      /there is no pod shop\/checkout-1 with the UID of the token/,
    ],
    [
      'the token of a pod that another has taken the name of',
      ({ cluster }) => {
        const pod = cluster.addPod(A, 'checkout-0');
        cluster.deletePod(pod);
        cluster.addPod(A, 'checkout-0');
        return { token: cluster.tokenFor(pod) };
      },
      /there is no pod shop\/checkout-0 with the UID of the token/,
    ],
    ['no token that is one', () => ({ token: 'nonsense' }), /none of this cluster/],
  ])('with %s is refused, and told why', async (_, made, message) => {
    const controller = await start({ states: [version(A, 1)] });
    const { token } = made(controller);
    const sidecar = controller.sidecar(controller.cluster.addPod(B), controller.accessFor(controller.cluster.addPod(B), token));
    await vi.waitFor(() => expect(sidecar.link.state.lastError?.message).toMatch(message), SOON);
    expect(sidecar.link.state.lastError?.message).toMatch(/\(UNAUTHENTICATED\)$/);
    expect(sidecar.heard).toEqual([]);
    expect(controller.events).toEqual([expect.objectContaining({ kind: 'violation', code: 'unauthenticated' })]);
    // Neither a log nor an error quotes it.
    expect(JSON.stringify([controller.events, sidecar.link.state])).not.toContain(token.slice(-20));
  });

  it('with a certificate gets no policies, as it names no workload', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const { certificate, key } = await controller.authority.issue({ uris: ['spiffe://test/processor/p'] });
    const session = connectHttp2(`https://localhost:${controller.port}`, { ca: controller.authority.certificate, cert: certificate, key });
    session.on('error', () => undefined);
    controller.keep({ close: () => session.destroy() });
    const stream = session.request({
      ':method': 'POST',
      ':path': POLICY_METHODS.Follow.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'airmesh-protocol': '1',
    });
    const status = await new Promise<string | undefined>((resolve) => {
      stream.on('trailers', (trailers) => resolve(trailers['grpc-status'] as string));
      stream.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers['grpc-status'] as string));
      stream.resume();
    });
    expect(status).toBe('7');
  });

  it('is waited for where it cannot be found out now', async () => {
    const controller = await start({ states: [version(A, 1)] });
    controller.cluster.isAway = true;
    const sidecar = controller.sidecar(controller.cluster.addPod(A));
    await vi.waitFor(
      () => expect(sidecar.link.state.lastError?.message).toMatch(/cannot be found out now: the API server does not answer \(UNAVAILABLE\)$/),
      SOON,
    );
    controller.cluster.isAway = false;
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
  });

  it('is not believed by a controller of another authority: nothing is sent to it', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const stranger = await TestAuthority.create('stranger');
    const sidecar = controller.sidecar(pod, controller.accessFor(pod, undefined, stranger.certificate));
    await vi.waitFor(() => expect(sidecar.link.state.lastError?.message).toMatch(/UNAVAILABLE/), SOON);
    expect(controller.cluster.reviews).toBe(0);
  });
});

describe('a token', () => {
  it('that ends ends the stream, which comes back with the newer one', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const access = controller.accessFor(pod, controller.cluster.tokenFor(pod, { validMs: 2_000 }));
    access.token.close(); // Nobody looks for a newer one: the server's end alone brings it back.
    const sidecar = controller.sidecar(pod, access);
    await vi.waitFor(() => expect(sidecar.connections).toBe(1), SOON);
    writeToken(access.path, controller.cluster.tokenFor(pod));
    await vi.waitFor(() => expect(sidecar.connections).toBe(2), SOON);
    expect(sidecar.link.state.lastError?.message).toMatch(/the credentials of pod\/shop\/checkout-1\/uid-1 have ended; connect again with new ones/);
  });

  it('that is renewed is presented before the former ends', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.001);
    const pod = controller.cluster.addPod(A);
    const access = controller.accessFor(pod);
    const sidecar = controller.sidecar(pod, access);
    await vi.waitFor(() => expect(sidecar.connections).toBe(1), SOON);
    writeToken(access.path, controller.cluster.tokenFor(pod, { validMs: 7_200_000 }));
    await vi.waitFor(() => expect(sidecar.connections).toBe(2), SOON);
    expect(sidecar.link.state.lastError?.message).toBe('its credentials were renewed');
    random.mockRestore();
  });

  it('of a pod that is deleted ends with it, where the controller says so', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const sidecar = controller.sidecar(pod);
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
    controller.cluster.deletePod(pod);
    controller.server.dismiss(`pod/${pod.namespace}/${pod.name}/${pod.uid}`, { code: 'unauthenticated', message: 'the pod is gone' });
    await vi.waitFor(() => expect(sidecar.link.state.lastError?.message).toMatch(/there is no pod/), SOON);
  });

  it('whose file is missing is asked for until it is there', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const access = controller.accessFor(pod, ' ');
    const sidecar = controller.sidecar(pod, access);
    await vi.waitFor(() => expect(sidecar.link.state.lastError?.message).toMatch(/is empty; it should hold the service account’s token$/), SOON);
    writeToken(access.path, controller.cluster.tokenFor(pod));
    await vi.waitFor(() => expect(sidecar.states).toHaveLength(1), SOON);
  });
});

describe('roots', () => {
  it('that are new are trusted from the next connection on, and drop nothing', async () => {
    const controller = await start({ states: [version(A, 1)] });
    const pod = controller.cluster.addPod(A);
    const access = controller.accessFor(pod);
    const successor = await start({ cluster: controller.cluster, authority: await TestAuthority.create('successor'), states: [version(A, 1)] });
    const sidecar = controller.sidecar(pod, access, [controller.address, successor.address]);
    await vi.waitFor(() => expect(sidecar.link.state.connected?.to).toBe(controller.address), SOON);
    access.roots.pem = `${controller.authority.certificate}\n${successor.authority.certificate}`;
    expect(sidecar.connections).toBe(1);
    await controller.server.close(0);
    await vi.waitFor(() => expect(sidecar.link.state.connected?.to).toBe(successor.address), SOON);
  });
});
