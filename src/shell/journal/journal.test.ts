import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEntries, encodeEntry } from './entry.ts';
import { Journal } from './journal.ts';
import { SEGMENT_BYTES } from './segment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kept = (journal: Journal, text: string, keeping: 'written' | 'durable' | 'lazy'): Promise<void> =>
  new Promise((resolve, reject) => journal.append(Buffer.from(text), keeping, (error) => (error === undefined ? resolve() : reject(error))));
const reread = (applied = 0): string[] => Journal.open(folder, applied).entries.map(({ payload }) => payload.toString());
const segments = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('journal-'))
    .toSorted();

describe('Journal', () => {
  it('gives back what was written, in order, although it was never closed', async () => {
    const { journal } = Journal.open(folder, 0);
    await Promise.all(['one', 'two', 'three'].map((text) => kept(journal, text, 'written')));
    await kept(journal, 'four', 'lazy');
    expect(reread()).toEqual(['one', 'two', 'three', 'four']);
  });

  it('writes what nobody waits for with what somebody does', async () => {
    const { journal } = Journal.open(folder, 0);
    const order: string[] = [];
    journal.append(Buffer.from('lazy'), 'lazy', () => order.push('lazy'));
    await kept(journal, 'asked', 'written').then(() => order.push('asked'));
    expect(order).toEqual(['lazy', 'asked']);
    await journal.close();
  });

  it('says what is on the disk', async () => {
    const { journal } = Journal.open(folder, 0);
    const synced: number[] = [];
    journal.onSynced = (sequence) => synced.push(sequence);
    await kept(journal, 'one', 'written');
    expect(synced).toEqual([]);
    await kept(journal, 'two', 'durable');
    expect(synced).toEqual([2]);
    await kept(journal, 'three', 'written');
    await journal.synced();
    expect(synced).toEqual([2, 3]);
    await journal.close();
  });

  it('calls back once all that was appended is on the disk', async () => {
    const { journal } = Journal.open(folder, 0);
    const order: string[] = [];
    journal.onSynced = (sequence) => order.push(`synced ${sequence}`);
    journal.onceDurable(() => order.push('nothing to wait for'));
    journal.append(Buffer.from('one'), 'lazy', () => undefined);
    journal.onceDurable(() => order.push('one'));
    journal.append(Buffer.from('two'), 'lazy', () => undefined);
    expect(order).toEqual(['nothing to wait for']);
    await journal.synced();
    await new Promise<void>((resolve) => journal.onceDurable(resolve));
    expect(order.slice(0, 3)).toEqual(['nothing to wait for', 'synced 1', 'one']);
    await journal.close();
  });

  it('does not wait for what cannot be written at all', async () => {
    const { journal } = Journal.open(folder, 0);
    await kept(journal, 'one', 'durable');
    await journal.close();
    rmSync(folder, { recursive: true });
    const failed = kept(journal, 'two', 'written');
    const durable = new Promise<void>((resolve) => journal.onceDurable(resolve));
    await expect(failed).rejects.toThrow('ENOENT');
    await durable;
  });

  it('goes on in new segments, and forgets those that are not needed', async () => {
    const { journal } = Journal.open(folder, 0);
    const text = 'x'.repeat(60_000);
    const count = Math.ceil((SEGMENT_BYTES * 2.5) / text.length);
    for (let index = 0; index < count; index++) await kept(journal, text, index % 7 === 0 ? 'durable' : 'written');
    expect(segments()).toHaveLength(3);
    expect(reread()).toHaveLength(count);
    journal.release(count);
    expect(segments().length).toBeLessThanOrEqual(2);
    await journal.close();
    expect(readdirSync(folder).filter((name) => name.startsWith('spare'))).toEqual([]);
  });

  it('numbers go on behind what the books hold', async () => {
    const { journal } = Journal.open(folder, 41);
    await kept(journal, 'next', 'written');
    expect(Journal.open(folder, 41).entries.map(({ sequence }) => sequence)).toEqual([42]);
  });

  it('reads up to a torn end', async () => {
    const { journal } = Journal.open(folder, 0);
    for (const text of ['one', 'two', 'three']) await kept(journal, text, 'written');
    const path = join(folder, segments()[0] ?? '');
    const bytes = readFileSync(path);
    truncateSync(path, decodeEntries(bytes).end - 2);
    const opened = Journal.open(folder, 0);
    expect(opened.entries.map(({ payload }) => payload.toString())).toEqual(['one', 'two']);
    expect(opened.gap).toBeUndefined();
  });

  it('says where entries are missing, and leaves out what is behind', () => {
    const entry = (sequence: number): Buffer => encodeEntry({ sequence, payload: Buffer.from(`entry ${sequence}`) });
    writeFileSync(join(folder, 'journal-0000000000000001.log'), Buffer.concat([entry(1), entry(2)]));
    writeFileSync(join(folder, 'journal-0000000000000004.log'), Buffer.concat([entry(4), entry(5)]));
    const opened = Journal.open(folder, 0);
    expect(opened.entries.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(opened.gap).toContain('goes on at entry 4; 3 was expected');
    expect(opened.journal.lastSequence).toBe(5);
  });

  describe('damaged in the middle', () => {
    const PATH = 'journal-0000000000000001.log';
    const entries = Array.from({ length: 9 }, (_, index) => encodeEntry({ sequence: index + 1, payload: Buffer.from(`entry ${index + 1}`) }));
    const start = (sequence: number): number => entries.slice(0, sequence - 1).reduce((sum, { length }) => sum + length, 0);

    function written(spoil: (bytes: Buffer) => void): void {
      const bytes = Buffer.concat([...entries, Buffer.alloc(4096)]);
      spoil(bytes);
      writeFileSync(join(folder, PATH), bytes);
    }

    it.each<[string, (bytes: Buffer) => void]>([
      ['a changed byte', (bytes) => bytes.write('E', start(5) + 16)],
      ['a huge length', (bytes) => bytes.writeUInt32BE(0xffffffff, start(5))],
      ['a length that is too small', (bytes) => bytes.writeUInt32BE(2, start(5))],
      ['zeros', (bytes) => bytes.fill(0, start(5), start(6) + 3)],
    ])('%s is no torn end: it says what is missing, and uses no number twice', (_name, spoil) => {
      written(spoil);
      const opened = Journal.open(folder, 0);
      expect(opened.entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
      expect(opened.gap).toMatch(/goes on at entry [67]; 5 was expected/);
      expect(opened.journal.lastSequence).toBe(9);
    });

    it('loses nothing where the books have it', () => {
      written((bytes) => bytes.fill(1, start(3), start(6)));
      const opened = Journal.open(folder, 5);
      expect(opened.entries.map(({ sequence }) => sequence)).toEqual([6, 7, 8, 9]);
      expect(opened.gap).toBeUndefined();
    });

    it('says so where what comes after the books is gone', () => {
      written((bytes) => bytes.fill(1, start(3), start(6)));
      const opened = Journal.open(folder, 4);
      expect(opened.entries).toEqual([]);
      expect(opened.gap).toContain('goes on at entry 6; 5 was expected');
    });
  });

  it('takes an entry once that stands in two segments', () => {
    const entry = (sequence: number): Buffer => encodeEntry({ sequence, payload: Buffer.from(`entry ${sequence}`) });
    writeFileSync(join(folder, 'journal-0000000000000001.log'), Buffer.concat([entry(1), entry(2)]));
    writeFileSync(join(folder, 'journal-0000000000000001-1.log'), Buffer.concat([entry(1), entry(2), entry(3)]));
    const opened = Journal.open(folder, 0);
    expect(opened.entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(opened.gap).toBeUndefined();
  });

  it('says why an entry cannot be kept, and takes the next one', async () => {
    const { journal } = Journal.open(folder, 0);
    const text = 'x'.repeat(60_000);
    const perSegment = Math.floor(SEGMENT_BYTES / (text.length + 16));
    for (let index = 0; index < perSegment; index++) await kept(journal, text, 'lazy');
    await journal.synced();
    rmSync(folder, { recursive: true });
    const reached = journal.lastSequence;
    await expect(kept(journal, text, 'written')).rejects.toThrow('ENOENT');
    await expect(kept(journal, text, 'durable')).rejects.toThrow('ENOENT');
    const { journal: again } = Journal.open(folder, 0);
    await kept(again, 'here', 'durable');
    await again.close();
    rmSync(join(folder, segments()[0] ?? ''));
    await kept(journal, 'and here', 'durable');
    // What was refused is missing, and that is no damage.
    const reopened = Journal.open(folder, reached);
    expect(reopened.entries.map(({ sequence, payload }) => [sequence, payload.toString()])).toEqual([[reached + 3, 'and here']]);
    expect(reopened.gap).toBeUndefined();
    expect(Journal.open(folder, reached - 1).gap).toContain(`${reached} was expected`);
  });
});

it('decodes any prefix of any entries without inventing one', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 });
  fc.assert(
    fc.property(payloads, fc.nat(), (list, cut) => {
      const bytes = Buffer.concat(list.map((payload, index) => encodeEntry({ sequence: index + 1, payload: Buffer.from(payload) })));
      const read = decodeEntries(bytes.subarray(0, cut % (bytes.length + 1))).entries;
      expect(read.map(({ payload }) => [...payload])).toEqual(list.slice(0, read.length).map((payload) => [...payload]));
    }),
  );
});
