import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readResources } from './read.ts';
import { watchResources } from './watch.ts';

/** Longer than a change takes to be noticed, and than a slow machine needs for it. */
const QUIET_MS = 1_000;
const WITHIN_MS = 40_000;

let folder: string;
let stop: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-watch-'));
  stop = () => undefined;
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

const budget = (usd: number): string =>
  `apiVersion: airmesh.dev/v1alpha1\nkind: AIBudget\nmetadata: {name: a}\nspec: {limit: {usd: ${usd}}, window: {lifetime: true}}\n`;

interface Watched {
  /** What was read at each change. */
  readonly seen: string[];
  /** Resolves when the limit was read as so much, in time; `none`: no resource is there; `broken`: no file. */
  until(usd: number | 'none' | 'broken'): Promise<void>;
}

function watching(paths: readonly string[]): Watched {
  const seen: string[] = [];
  const watched = watchResources(paths, () => {
    const { resources, findings } = readResources(paths);
    const [first] = resources;
    seen.push(first?.kind === 'AIBudget' ? String(Number(first.spec.limit.usd) / 1e9) : findings.length > 0 ? 'broken' : 'none');
  });
  stop = () => watched.close();
  const until = async (usd: number | 'none' | 'broken'): Promise<void> => {
    const end = performance.now() + WITHIN_MS;
    while (seen.at(-1) !== String(usd)) {
      if (performance.now() > end) throw new Error(`not ${usd} within ${WITHIN_MS} ms, but ${seen.join()}`);
      await delay(5);
    }
  };
  return { seen, until };
}

/** A volume as the kubelet's atomic writer lays it out: names are links into `..data`, which is a link to the present version. */
function mount(volume: string, version: string, text: string): void {
  mkdirSync(join(volume, version), { recursive: true });
  writeFileSync(join(volume, version, 'resources.yaml'), text);
  symlinkSync(version, join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
}

describe('a change is seen within a second', () => {
  it('of a file, written over', async () => {
    const file = join(folder, 'a.yaml');
    writeFileSync(file, budget(1));
    const { until, seen } = watching([file]);
    writeFileSync(file, budget(2));
    await until(2);
    writeFileSync(file, budget(3));
    await until(3);
    expect(seen).toEqual(['2', '3']);
  });

  it('of a file, replaced by another as editors do', async () => {
    const file = join(folder, 'a.yaml');
    writeFileSync(file, budget(1));
    const { until } = watching([file]);
    for (const usd of [2, 3, 4]) {
      writeFileSync(`${file}.new`, budget(usd));
      renameSync(`${file}.new`, file);
      await until(usd);
    }
  });

  it('of a file that goes and comes', async () => {
    const file = join(folder, 'a.yaml');
    writeFileSync(file, budget(1));
    const { until } = watching([file]);
    unlinkSync(file);
    await until('broken');
    writeFileSync(file, budget(2));
    await until(2);
  });

  it('of a folder: files come, change and go', async () => {
    const { until } = watching([folder]);
    writeFileSync(join(folder, 'a.yaml'), budget(1));
    await until(1);
    writeFileSync(join(folder, 'a.yaml'), budget(2));
    await until(2);
    unlinkSync(join(folder, 'a.yaml'));
    await until('none');
  });

  it('of a folder that is replaced', async () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'a.yaml'), budget(1));
    const { until } = watching([inner]);
    for (const usd of [2, 3]) {
      mkdirSync(`${inner}.new`);
      writeFileSync(join(`${inner}.new`, 'a.yaml'), budget(usd));
      renameSync(inner, `${inner}.${usd}`);
      renameSync(`${inner}.new`, inner);
      await until(usd);
    }
    writeFileSync(join(inner, 'a.yaml'), budget(4));
    await until(4);
  });

  it.each(['the folder', 'a file in it'])('of a volume that Kubernetes swaps, watched as %s', async (how) => {
    const volume = join(folder, 'volume');
    mount(volume, '..2026_01', budget(1));
    symlinkSync(join('..data', 'resources.yaml'), join(volume, 'resources.yaml'));
    const { until, seen } = watching([how === 'the folder' ? volume : join(volume, 'resources.yaml')]);
    for (const [version, usd] of [
      ['..2026_02', 2],
      ['..2026_03', 3],
    ] as const) {
      mount(volume, version, budget(usd));
      await until(usd);
    }
    rmSync(join(volume, '..2026_01'), { recursive: true });
    // Never half of the one and half of the other, and never nothing.
    expect(new Set(seen)).toEqual(new Set(['2', '3']));
  });

  it('although something else in the folder changes all the time', async () => {
    const noise = setInterval(() => appendFileSync(join(folder, 'noise.log'), 'x'), 10);
    try {
      const { until } = watching([folder]);
      writeFileSync(join(folder, 'a.yaml'), budget(1));
      await until(1);
    } finally {
      clearInterval(noise);
    }
  });
});

it('files that hold no resources change nothing', async () => {
  writeFileSync(join(folder, 'a.yaml'), budget(1));
  const { seen } = watching([folder]);
  writeFileSync(join(folder, 'note.txt'), 'x');
  await delay(QUIET_MS);
  expect(seen).toEqual([]);
});

it('a watch that was closed says nothing more', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, budget(1));
  const { seen } = watching([file]);
  writeFileSync(file, budget(2));
  stop();
  await delay(QUIET_MS);
  expect(seen).toEqual([]);
});
