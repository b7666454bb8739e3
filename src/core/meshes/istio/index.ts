/** Istio: its sidecars ask the processor for provider hosts, and originate TLS to them. */
import type { Mesh } from '../mesh.ts';
import { KINDS, render } from './objects.ts';
import { CONTAINERS, WORDS } from './pods.ts';

export const istio: Mesh = { name: 'istio', title: 'Istio', proxyUid: 1337, kinds: KINDS, render, containers: CONTAINERS, words: WORDS };
