import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { PeriodRef, SliceAnswer, SliceReport, ToAuthority, ToHolder } from '../../core/leases/index.ts';
import { decodeToAuthority, decodeToHolder, encodeToAuthority, encodeToHolder } from './codec.ts';
import { LEDGER_METHODS } from './methods.ts';

const PROTO = fileURLToPath(new URL('../../../proto/airmesh/ledger/v1/ledger.proto', import.meta.url));
const root = protobuf.loadSync(PROTO);

/** Bytes that no encoder of ours would make. */
function bytesOf(name: string, raw: object): Uint8Array {
  return root.lookupType(`airmesh.ledger.v1.${name}`).encode(raw).finish();
}

const counter = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n });
const whole = fc.maxSafeNat();
const moment = fc.double({ noNaN: true, noDefaultInfinity: true });
const name = fc.string({ unit: 'grapheme', maxLength: 40 });
const period: fc.Arbitrary<PeriodRef> = fc.record({ limit: name, subject: name, period: whole });
const bucket = fc.record({ start: whole, amount: counter });

const sliceReport: fc.Arbitrary<SliceReport> = fc
  .tuple(
    period,
    fc.record({ returned: counter, spent: counter, need: counter, least: counter, more: counter, spare: counter }),
    fc.option(fc.array(bucket, { minLength: 1, maxLength: 5 }), { nil: undefined }),
  )
  .map(([of, counters, buckets]) => ({ ...of, ...counters, ...(buckets && { buckets }) }));

const toAuthority: fc.Arbitrary<ToAuthority> = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), nonce: name, sentAt: moment }),
  fc.record({
    kind: fc.constant('report' as const),
    lease: whole,
    instance: name,
    sentAt: moment,
    at: whole,
    heard: whole,
    stage: fc.constantFrom('open' as const, 'closing' as const, 'done' as const),
    slices: fc.array(sliceReport, { maxLength: 4 }),
  }),
);

const sliceAnswer: fc.Arbitrary<SliceAnswer> = fc
  .tuple(
    period,
    fc.record({
      granted: counter,
      returned: counter,
      spent: counter,
      allowance: counter,
      limitAmount: counter,
      unspent: fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }),
      offer: counter,
      elsewhere: counter,
      isFinal: fc.boolean(),
      supply: fc.constantFrom('ample' as const, 'scarce' as const, 'yield' as const),
    }),
    fc.constantFrom(undefined, 'unknown_limit' as const, 'window_not_open' as const, 'too_many_accounts' as const),
  )
  .map(([of, counters, fault]) => ({ ...of, ...counters, ...(fault && { fault }) }));

const toHolder: fc.Arbitrary<ToHolder> = fc.oneof(
  fc.record({ kind: fc.constant('joined' as const), term: whole, nonce: name, lease: whole, echo: moment }),
  fc
    .tuple(
      fc.record({
        kind: fc.constant('answer' as const),
        term: whole,
        lease: whole,
        number: whole,
        state: fc.constantFrom('live' as const, 'ended' as const, 'gone' as const),
        slices: fc.array(sliceAnswer, { maxLength: 4 }),
      }),
      fc.option(fc.record({ instance: name, sentAt: moment }), { nil: undefined }),
    )
    .map(([answer, echo]) => ({ ...answer, ...(echo && { echo }) })),
);

describe('messages', () => {
  it('to the authority come back as they were', () => {
    fc.assert(
      fc.property(toAuthority, (message) => {
        expect(decodeToAuthority(encodeToAuthority(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  it('to holders come back as they were', () => {
    fc.assert(
      fc.property(toHolder, (message) => {
        expect(decodeToHolder(encodeToHolder(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  it('are what ledger.proto says, as another reader of it understands it', () => {
    const { Hold } = loadSync(PROTO, { longs: Number, enums: String, oneofs: true })['airmesh.ledger.v1.Ledger'] as ServiceDefinition;
    expect(Hold?.path).toBe(LEDGER_METHODS.Hold.path);
    const slice = { limit: 'team|usd', subject: 'shop', period: 5, returned: 1n, spent: 2n, need: 3n, least: 4n, more: 5n, spare: 6n };
    const report = encodeToAuthority({ kind: 'report', lease: 7, instance: 'i', sentAt: 0.5, at: 8, heard: 2 ** 53 - 1, stage: 'closing', slices: [slice] });
    expect(Hold?.requestDeserialize(report)).toEqual({
      message: 'report',
      report: {
        lease: 7,
        instance: 'i',
        sentAt: 0.5,
        at: 8,
        heard: 2 ** 53 - 1,
        stage: 'STAGE_CLOSING',
        slices: [{ of: { limit: 'team|usd', subject: 'shop', period: 5 }, returned: '1', spent: '2', need: '3', least: '4', more: '5', spare: '6' }],
      },
    });
  });

  it('never make the reader throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof decodeToAuthority(bytes).ok).toBe('boolean');
        expect(typeof decodeToHolder(bytes).ok).toBe('boolean');
      }),
    );
  });

  it('never make the reader throw, whatever byte of a good one is another', () => {
    fc.assert(
      fc.property(toAuthority, fc.nat(), fc.nat({ max: 255 }), (message, place, byte) => {
        const bytes = encodeToAuthority(message);
        bytes[place % Math.max(1, bytes.length)] = byte;
        expect(typeof decodeToAuthority(bytes).ok).toBe('boolean');
      }),
    );
  });
});

const goodSlice = { of: { limit: 'l', subject: '', period: 0 }, returned: '0', spent: '0', need: '0', least: '0', more: '0', spare: '0' };
const goodReport = { lease: 1, instance: 'i', sentAt: 1, at: 1, heard: 0, stage: 1, slices: [goodSlice] };

/** A report with one thing wrong. */
const wrong = (changes: object): object => ({ report: { ...goodReport, ...changes } });
const wrongSlice = (changes: object): object => wrong({ slices: [goodSlice, { ...goodSlice, ...changes }] });

describe('an error', () => {
  it.each([
    ['no message at all', {}, 'ToAuthority: holds no message that is known here'],
    ['no time', { join: { nonce: 'n', sentAt: Number.NaN } }, 'ToAuthority.join.sentAt: NaN is not a time'],
    ['an endless time', { join: { nonce: 'n', sentAt: Number.POSITIVE_INFINITY } }, 'ToAuthority.join.sentAt: Infinity is not a time'],
    ['a long text', { join: { nonce: 'n'.repeat(5_000), sentAt: 1 } }, 'ToAuthority.join.nonce: has 5000 characters; at most 4096 were expected'],
    ['a large number', wrong({ lease: '9007199254740993' }), 'ToAuthority.report.lease: is larger than 2^53'],
    ['no stage', wrong({ stage: 0 }), 'ToAuthority.report.stage: is missing'],
    ['a stage that nobody knows', wrong({ stage: 9 }), 'ToAuthority.report.stage: 9 is not a value that is known here'],
    ['a slice of nothing', wrongSlice({ of: undefined }), 'ToAuthority.report.slices[1].of: is missing'],
    ['no amount', wrongSlice({ spent: '' }), 'ToAuthority.report.slices[1].spent: is missing'],
    ['a word for an amount', wrongSlice({ spent: 'much' }), 'ToAuthority.report.slices[1].spent: "much" is not an amount'],
    ['less than nothing', wrongSlice({ need: '-1' }), 'ToAuthority.report.slices[1].need: "-1" is not an amount'],
    ['a fraction', wrongSlice({ more: '1.5' }), 'ToAuthority.report.slices[1].more: "1.5" is not an amount'],
    ['another base', wrongSlice({ more: '0x10' }), 'ToAuthority.report.slices[1].more: "0x10" is not an amount'],
    ['a million digits', wrongSlice({ least: '9'.repeat(1_000_000) }), /^ToAuthority\.report\.slices\[1\]\.least: "9{40}…" is not an amount$/],
    ['a bucket of nothing', wrongSlice({ buckets: [{ start: 1, amount: '1' }, { start: 1 }] }), 'ToAuthority.report.slices[1].buckets[1].amount: is missing'],
  ])('names the field: %s', (_, raw, message) => {
    const decoded = decodeToAuthority(bytesOf('ToAuthority', raw));
    expect(decoded).toEqual({ ok: false, error: typeof message === 'string' ? message : expect.stringMatching(message) });
  });

  it('says so of bytes that are cut off', () => {
    const bytes = encodeToAuthority({ kind: 'join', nonce: 'nonce', sentAt: 1 });
    expect(decodeToAuthority(bytes.subarray(0, -3))).toEqual({ ok: false, error: `ToAuthority: these ${bytes.length - 3} bytes are no such message` });
  });

  it('comes fast where a small message would make half a million', () => {
    const empties = Buffer.alloc(1_000_000, Buffer.from([0x3a, 0]));
    const report = Buffer.concat([Buffer.from([0x12, 0xc0, 0x84, 0x3d]), empties]);
    const before = process.threadCpuUsage();
    expect(decodeToAuthority(report)).toEqual({ ok: false, error: 'ToAuthority: there are more than 20000 messages within it' });
    const { user, system } = process.threadCpuUsage(before);
    expect(user + system).toBeLessThan(500_000);
  });

  it('names what a holder is told wrongly, too', () => {
    const answer = { term: 1, lease: 1, number: 1, state: 1, slices: [{ of: goodSlice.of, granted: '5', returned: '0', spent: '0', supply: 1 }] };
    expect(decodeToHolder(bytesOf('ToHolder', { answer }))).toEqual({ ok: false, error: 'ToHolder.answer.slices[0].allowance: is missing' });
  });
});
