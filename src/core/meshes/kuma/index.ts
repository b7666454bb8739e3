/** Kuma: its sidecars ask the processor for provider hosts, and reach them by clusters of ours. */
import type { Mesh } from '../mesh.ts';
import { KINDS, render } from './objects.ts';
import { CONTAINERS, WORDS } from './pods.ts';

export const kuma: Mesh = { name: 'kuma', title: 'Kuma', proxyUid: 5678, kinds: KINDS, render, containers: CONTAINERS, words: WORDS };
