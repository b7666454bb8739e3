import { describe, expect, it } from 'vitest';
import { redirectionRules, removalOf } from './rules.ts';

const ABSENT = { redirect: true, refuse: true, reach: true };
const sidecar = { uid: 1533, gid: 1533 };

describe('the rules', () => {
  it('take IPv4 connections to the sidecar, but its own', () => {
    expect(redirectionRules('ipv4', { toPort: 15_401, ports: [443, 80, 8000, 80], except: sidecar }, ABSENT)).toBe(`*nat
:AIRMESH_OUTPUT - [0:0]
-I OUTPUT -j AIRMESH_OUTPUT
-A AIRMESH_OUTPUT -m owner --uid-owner 1533 --gid-owner 1533 -j RETURN
-A AIRMESH_OUTPUT -o lo -j RETURN
-A AIRMESH_OUTPUT -d 127.0.0.0/8 -j RETURN
-A AIRMESH_OUTPUT -p tcp -m multiport --dports 80,443,8000 -j REDIRECT --to-ports 15401
COMMIT
*filter
:AIRMESH_REFUSE - [0:0]
-I OUTPUT -j AIRMESH_REFUSE
-A AIRMESH_REFUSE -m owner --uid-owner 1533 --gid-owner 1533 -j RETURN
-A AIRMESH_REFUSE -o lo -j RETURN
-A AIRMESH_REFUSE -p udp --dport 443 -j REJECT --reject-with icmp-port-unreachable
COMMIT
`);
  });

  it('are the same for IPv6, with its own addresses', () => {
    const rules = redirectionRules('ipv6', { toPort: 15_401, ports: 'all', except: sidecar }, { redirect: false, refuse: false, reach: false });
    expect(rules).toContain('-A AIRMESH_OUTPUT -d ::1/128 -j RETURN\n-A AIRMESH_OUTPUT -p tcp -j REDIRECT --to-ports 15401\n');
    expect(rules).toContain('--reject-with icmp6-port-unreachable');
    expect(rules).not.toContain(' OUTPUT');
  });

  it('keep the sidecar’s own ports from a mesh that redirects what comes in', () => {
    const rules = redirectionRules('ipv4', { toPort: 15_401, ports: [443], reached: [15_420] }, ABSENT);
    expect(rules).toContain(`:AIRMESH_REACHED - [0:0]
-I PREROUTING -j AIRMESH_REACHED
-A AIRMESH_REACHED -p tcp -m multiport --dports 15420 -j ACCEPT
COMMIT
*filter
`);
  });

  it('name no more ports in one rule than one takes', () => {
    const ports = Array.from({ length: 31 }, (_, index) => 8000 + index);
    const matches = redirectionRules('ipv4', { toPort: 1, ports }, ABSENT).match(/--dports \S+/g) ?? [];
    expect(matches.map((match) => match.split(',').length)).toEqual([15, 15, 1]);
  });

  it('take questions for names as well, wherever they go', () => {
    const rules = redirectionRules('ipv4', { toPort: 15_401, ports: 'all', namesToPort: 15_453 }, ABSENT).split('\n');
    expect(rules.indexOf('-A AIRMESH_OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 15453')).toBeLessThan(rules.indexOf('-A AIRMESH_OUTPUT -o lo -j RETURN'));
  });
});

describe('the removal', () => {
  it('takes back each jump, and what is there', () => {
    const present = { redirect: { jumps: 2, hasChain: true }, refuse: { jumps: 0, hasChain: false }, reach: { jumps: 1, hasChain: true } };
    expect(removalOf(present)).toBe(`*nat
-D OUTPUT -j AIRMESH_OUTPUT
-D OUTPUT -j AIRMESH_OUTPUT
-F AIRMESH_OUTPUT
-X AIRMESH_OUTPUT
COMMIT
*nat
-D PREROUTING -j AIRMESH_REACHED
-F AIRMESH_REACHED
-X AIRMESH_REACHED
COMMIT
`);
  });
});
