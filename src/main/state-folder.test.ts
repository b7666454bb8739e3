import { expect, it } from 'vitest';
import { defaultStateFolder } from './state-folder.ts';

it.each([
  [{}, 'linux', '/home/ann/.local/state/airmesh'],
  [{ XDG_STATE_HOME: '/var/state' }, 'linux', '/var/state/airmesh'],
  [{ XDG_STATE_HOME: 'relative' }, 'linux', '/home/ann/.local/state/airmesh'],
  [{}, 'darwin', '/home/ann/Library/Application Support/airmesh'],
  [{ AIRMESH_STATE: '/srv/airmesh', XDG_STATE_HOME: '/var/state' }, 'darwin', '/srv/airmesh'],
] as const)('%j on %s: %s', (environment, platform, expected) => {
  expect(defaultStateFolder(environment, platform, '/home/ann')).toBe(expected);
});
