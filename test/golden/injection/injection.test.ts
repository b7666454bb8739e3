/** Pods in, pods out, as patches: what a webhook answers for them. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { injectPod, patchOf } from '../../../src/core/injection/index.ts';
import type { Pod } from '../../../src/core/injection/index.ts';
import { LABELLED, SETTINGS } from '../../../src/core/injection/pods.test-support.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const cases = readdirSync(here).filter((name) => /^[a-z]+\.yaml$/.test(name));

describe.each(cases)('%s', (name) => {
  const pod = parse(readFileSync(`${here}/${name}`, 'utf8')) as Pod;
  const verdict = injectPod(pod, LABELLED, SETTINGS);
  if (verdict.kind !== 'injected') throw new Error(`${name} is not injected`);

  it('gets what it got', async () => {
    const { warnings } = verdict;
    await expect(stringify({ warnings, patch: patchOf(pod, verdict.pod) }, { aliasDuplicateObjects: false })).toMatchFileSnapshot(
      `./${name.replace('.yaml', '.out.yaml')}`,
    );
  });

  it('is the same when it comes again', () => {
    expect(injectPod(verdict.pod, LABELLED, SETTINGS)).toEqual({ kind: 'injected', pod: verdict.pod, warnings: expect.anything() as unknown });
  });
});
