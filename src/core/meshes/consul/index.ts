/** Consul: its proxies take no filters of ours, so our own Envoy runs beside them. */
import type { Mesh } from '../mesh.ts';
import { KINDS, render } from './objects.ts';
import { CONTAINERS, WORDS } from './pods.ts';

export const consul: Mesh = { name: 'consul', title: 'Consul', proxyUid: 5995, kinds: KINDS, render, containers: CONTAINERS, words: WORDS };
