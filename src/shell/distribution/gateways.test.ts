/** Gateways and a controller over TLS: who is one, whom it is given, what becomes of a namespace that withdraws. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SidecarState } from '../../core/control/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import type { Pod } from '../wire/index.ts';
import type { BadGatewayState, GatewayReport, ToGateway } from './codec/gateway.ts';
import { Gateways } from './gateways.ts';
import { GatewayLink } from './gatewaylink.ts';
import { TestController } from './service.test-support.ts';
import { stateOf } from './states.test-support.ts';

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const WITHIN = { timeout: 10_000, interval: 10 };
const caller = (id: string): KnownWorkload => ({ namespace: id.split('/')[0] ?? '', name: id.split('/')[1] ?? '', labels: { tier: 'gold' } });

/** A gateway that takes down what it hears, and says that it applied each state. */
class TestGateway {
  readonly heard: (ToGateway | BadGatewayState)[] = [];
  readonly link: GatewayLink;
  known: readonly KnownWorkload[] = [];

  constructor(controller: TestController, pod: Pod) {
    const access = controller.accessFor(pod);
    this.link = new GatewayLink({
      addresses: [controller.address],
      access,
      clock,
      onConnected: () => [this.report({ callers: this.known })],
      onAnswer: (answer) => {
        this.heard.push(answer);
        if (answer.kind === 'state') this.link.say(this.report({ outcomes: [{ workload: answer.state.snapshot.workload, version: answer.state.version }] }));
      },
    });
    controller.keep(this.link);
  }

  report(more: Partial<GatewayReport>): GatewayReport {
    return { program: '1', callers: [], left: [], outcomes: [], ...more };
  }

  told(): readonly string[] {
    return this.heard.map((answer) =>
      answer.kind === 'state'
        ? `state ${answer.state.snapshot.workload.name} ${answer.state.version}`
        : answer.kind === 'denial'
          ? `denial ${answer.workload.name}`
          : answer.kind,
    );
  }
}

let controller: TestController;
let gateways: Gateways;
let asked = 0;

async function start(): Promise<void> {
  asked = 0;
  gateways = new Gateways({
    isGateway: ({ namespace, serviceAccount }) => namespace === 'airmesh-system' && serviceAccount === 'gateway',
    onCallers: () => (asked += 1),
    tell: (event) => void controller.events.push(event),
    now: () => clock.monotonicMs(),
  });
  controller = await TestController.start({ states: [], services: () => [gateways.service()] });
}

afterEach(async () => {
  gateways.close();
  await controller.close();
});

const publish = (namespaces: readonly string[], ...states: readonly SidecarState[]): void =>
  gateways.publish({
    common: state('*/*', 'all'),
    namespaces: new Set(namespaces),
    states: new Map(states.map((state) => [`${state.snapshot.workload.namespace}/${state.snapshot.workload.name}`, state])),
  });
const state = (id: string, version: string): SidecarState => {
  const [namespace = '', name = ''] = id.split('/');
  const plain = stateOf(id);
  return { ...plain, version, snapshot: { ...plain.snapshot, workload: { namespace, name } } };
};
const gatewayPod = (): Pod => controller.cluster.addPod('airmesh-system/gateway');

describe('a gateway', () => {
  it('is greeted, and given what those who call may have, and newer ones as they come', async () => {
    await start();
    publish(['shop'], state('shop/checkout', 'one'), state('shop/silent', 'one'));
    const gateway = new TestGateway(controller, gatewayPod());
    await vi.waitFor(() => expect(gateway.told()).toEqual(['state * all']), WITHIN);
    gateway.link.say(gateway.report({ callers: [caller('shop/checkout'), caller('shop/unknown'), caller('closed/vault')] }));
    await vi.waitFor(() => expect(gateway.told()).toEqual(['state * all', 'state checkout one', 'denial vault']), WITHIN);
    expect(asked).toBe(1);
    expect(gateways.callers()).toEqual([caller('shop/checkout'), caller('shop/unknown'), caller('closed/vault')]);
    publish(['shop'], state('shop/checkout', 'two'), state('shop/unknown', 'one'), state('shop/silent', 'two'));
    await vi.waitFor(() => expect(gateway.told().slice(3).toSorted()).toEqual(['state checkout two', 'state unknown one']), WITHIN);
    publish(['shop', 'closed'], state('shop/checkout', 'two'), state('closed/vault', 'one'));
    await vi.waitFor(() => expect(gateway.told().slice(5)).toEqual(['state vault one']), WITHIN);
  });

  it('is told at once when a namespace allows it no more', async () => {
    await start();
    const gateway = new TestGateway(controller, gatewayPod());
    gateway.known = [caller('shop/checkout')];
    publish(['shop'], state('shop/checkout', 'one'));
    await vi.waitFor(() => expect(gateway.told()).toContain('state checkout one'), WITHIN);
    publish([]);
    await vi.waitFor(() => expect(gateway.told().at(-1)).toBe('denial checkout'), WITHIN);
    expect(gateway.heard.at(-1)).toMatchObject({ reason: expect.stringContaining('airmesh.dev/gateway: enabled') });
  });

  it('says whom it knows on each connection, and is forgotten with it', async () => {
    await start();
    publish(['shop'], state('shop/checkout', 'one'));
    const pod = gatewayPod();
    const gateway = new TestGateway(controller, pod);
    gateway.known = [caller('shop/checkout')];
    await vi.waitFor(() => expect(gateway.told()).toContain('state checkout one'), WITHIN);
    controller.server.dismiss(`pod/${pod.namespace}/${pod.name}/${pod.uid}`, { code: 'unavailable', message: 'go elsewhere' });
    await vi.waitFor(() => expect(gateway.told().filter((word) => word === 'state checkout one')).toHaveLength(2), WITHIN);
    gateway.link.close();
    await vi.waitFor(() => expect(gateways.callers()).toEqual([]), WITHIN);
  });

  it('is given no more than it takes at a time, and all of it in the end', async () => {
    await start();
    const ids = Array.from({ length: 300 }, (_, index) => `shop/w${index}`);
    publish(['shop'], ...ids.map((id) => state(id, 'one')));
    const gateway = new TestGateway(controller, gatewayPod());
    gateway.known = ids.map(caller);
    await vi.waitFor(() => expect(gateway.told().filter((word) => word.startsWith('state w'))).toHaveLength(300), WITHIN);
    gateway.link.say(gateway.report({ left: ids.slice(1).map((id) => ({ namespace: 'shop', name: id.slice(5) })) }));
    await vi.waitFor(() => expect(gateways.callers()).toHaveLength(1), WITHIN);
  });
});

describe('whoever is none', () => {
  it.each([
    ['a sidecar', 'shop/checkout'],
    ['another pod of the controllers’ namespace', 'airmesh-system/other'],
    ['a pod of another namespace that calls itself one', 'shop/gateway'],
  ])('%s is given nothing', async (_what, workload) => {
    await start();
    publish(['shop'], state('shop/checkout', 'one'));
    const gateway = new TestGateway(controller, controller.cluster.addPod(workload));
    gateway.known = [caller('shop/checkout')];
    await vi.waitFor(() => expect(gateway.link.state.lastError?.message).toContain('is no gateway of this mesh'), WITHIN);
    expect(gateway.heard).toEqual([]);
    expect(gateways.callers()).toEqual([]);
    expect(controller.events).toContainEqual(expect.objectContaining({ kind: 'violation', code: 'not_permitted' }));
  });
});
