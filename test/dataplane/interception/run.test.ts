/** `airmesh run --intercept`: a laptop shows what a cluster does. Needs root and iptables. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/interception/clients.ts';
import { KEYS, World } from '../../support/interception/world.ts';
import type { Ran } from '../../support/interception/world.ts';

const CLI = fileURLToPath(new URL('../../../src/main/cli.ts', import.meta.url));

const RESOURCES = `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: openai}
spec: {type: OpenAI, auth: {apiKey: {env: OPENAI_API_KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic}
spec: {type: Anthropic, auth: {apiKey: {env: ANTHROPIC_API_KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: gemini}
spec: {type: Gemini, auth: {apiKey: {env: GEMINI_API_KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - {match: {models: ["claude-*"]}, backends: [{provider: anthropic}]}
  - {match: {models: ["gemini-*"]}, backends: [{provider: gemini}]}
  - {backends: [{provider: openai}]}
`;

let world: World;
let envoy: string;
beforeAll(async () => {
  world = await World.bare('l');
  envoy = await world.envoy();
  writeFileSync(join(world.folder, 'resources.yaml'), RESOURCES);
});
afterAll(async () => world?.stop());

/** As root, for a user who called by sudo. */
function intercept(user: number, command: readonly string[], uid = 0): Promise<Ran> {
  const home = join(world.folder, `user-${user}`);
  mkdirSync(home, { recursive: true });
  chownSync(home, uid, uid);
  const args = [
    'run',
    '--intercept',
    '--listen',
    '14000',
    '--admin',
    '14001',
    '--envoy',
    envoy,
    '--state',
    join(home, 'state'),
    join(world.folder, 'resources.yaml'),
    '--',
    ...command,
  ];
  const keys = {
    SUDO_UID: String(user),
    SUDO_GID: String(user),
    OPENAI_API_KEY: KEYS.openai,
    ANTHROPIC_API_KEY: KEYS.anthropic,
    GEMINI_API_KEY: KEYS.gemini,
  };
  return world.run([process.execPath, CLI, ...args], { uid, env: { ...keys, HOME: home, TMPDIR: home, SSL_CERT_FILE: world.publicCa }, timeoutMs: 100_000 });
}

describe.each([
  ['root', 0],
  ['who called by sudo', 1000],
])('for %s', (_who, uid) => {
  it('an unchanged program is governed', { timeout: 120_000 }, async () => {
    await world.seen();
    const ran = await intercept(uid, [process.execPath, program('sdks.mjs')]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toMatchObject({ tool: 'weather', elsewhere: expect.stringMatching(/./) });
    const { seen } = await world.seen();
    expect(seen).toHaveLength(8);
    expect(JSON.stringify(seen)).not.toContain('airmesh-injected');
  });

  it('it has no key, names as on the machine, other hosts untouched, and its own exit code', { timeout: 120_000 }, async () => {
    const script = 'echo "$OPENAI_API_KEY $ANTHROPIC_API_KEY $(id -u)"; getent ahostsv4 by-dns.example | head -1; curl -sS https://other.example/; exit 7';
    const ran = await intercept(uid, ['sh', '-c', script]);
    expect(ran, ran.err).toMatchObject({ code: 7 });
    const [keys, name, other] = ran.out.split('\n');
    expect(keys).toBe(`airmesh-injected airmesh-injected ${uid}`);
    expect(name).toMatch(/^203\.0\.113\.20 /);
    expect(other).toBe('this is others');
  });
});

it('says to a user without rights what it needs', async () => {
  const ran = await intercept(1000, ['true'], 1000);
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('sudo') });
});
