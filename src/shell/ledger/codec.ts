import type { Answer, Join, Joined, PeriodRef, Report, SliceAnswer, SliceReport, ToAuthority, ToHolder } from '../../core/leases/index.ts';
import type { Result } from '../../core/units/index.ts';
import { amount, child, choice, count, flag, list, misfit, moment, numberOf, optionalChild, signedAmount, text } from '../wire/index.ts';
import type { Raw } from '../wire/index.ts';
import { schema } from './schema.ts';

/** More are wrong anyway, and need not be read to be told so; the authority's own limits are lower. */
const MAX_SLICES = 10_000;
const MAX_BUCKETS = 10_000;

const STAGES = ['open', 'closing', 'done'] as const;
const STATES = ['live', 'ended', 'gone'] as const;
const SUPPLIES = ['ample', 'scarce', 'yield'] as const;
const FAULTS = ['unknown_limit', 'window_not_open', 'too_many_accounts'] as const;

const toAuthority = schema('ToAuthority');
const toHolder = schema('ToHolder');

export function encodeToAuthority(message: ToAuthority): Buffer {
  return toAuthority.encode(message.kind === 'join' ? { join: message } : { report: rawReport(message) });
}

/** The error names the field and what is wrong with it. */
export function decodeToAuthority(bytes: Uint8Array): Result<ToAuthority, string> {
  return toAuthority.decode<ToAuthority>(
    bytes,
    (raw) => optionalChild(raw, 'join', readJoin) ?? optionalChild(raw, 'report', readReport) ?? misfit('', 'holds no message that is known here'),
  );
}

export function encodeToHolder(message: ToHolder): Buffer {
  return toHolder.encode(message.kind === 'joined' ? { joined: message } : { answer: rawAnswer(message) });
}

/** The error names the field and what is wrong with it. */
export function decodeToHolder(bytes: Uint8Array): Result<ToHolder, string> {
  return toHolder.decode<ToHolder>(
    bytes,
    (raw) => optionalChild(raw, 'joined', readJoined) ?? optionalChild(raw, 'answer', readAnswer) ?? misfit('', 'holds no message that is known here'),
  );
}

function readJoin(raw: Raw): Join {
  return { kind: 'join', nonce: text(raw, 'nonce'), sentAt: moment(raw, 'sentAt') };
}

function readJoined(raw: Raw): Joined {
  return { kind: 'joined', term: count(raw, 'term'), nonce: text(raw, 'nonce'), lease: count(raw, 'lease'), echo: moment(raw, 'echo') };
}

function rawReport({ slices, stage, ...report }: Report): Raw {
  return { ...report, stage: numberOf(STAGES, stage), slices: slices.map(rawSliceReport) };
}

function readReport(raw: Raw): Report {
  return {
    kind: 'report',
    lease: count(raw, 'lease'),
    instance: text(raw, 'instance'),
    sentAt: moment(raw, 'sentAt'),
    at: count(raw, 'at'),
    heard: count(raw, 'heard'),
    stage: choice(raw, 'stage', STAGES),
    slices: list(raw, 'slices', MAX_SLICES, readSliceReport),
  };
}

function rawSliceReport(slice: SliceReport): Raw {
  return {
    of: slice,
    returned: String(slice.returned),
    spent: String(slice.spent),
    buckets: slice.buckets?.map(({ start, amount }) => ({ start, amount: String(amount) })),
    need: String(slice.need),
    least: String(slice.least),
    more: String(slice.more),
    spare: String(slice.spare),
  };
}

function readSliceReport(raw: Raw): SliceReport {
  const buckets = list(raw, 'buckets', MAX_BUCKETS, (bucket) => ({ start: count(bucket, 'start'), amount: amount(bucket, 'amount') }));
  return {
    ...child(raw, 'of', readPeriod),
    returned: amount(raw, 'returned'),
    spent: amount(raw, 'spent'),
    ...(buckets.length === 0 ? {} : { buckets }),
    need: amount(raw, 'need'),
    least: amount(raw, 'least'),
    more: amount(raw, 'more'),
    spare: amount(raw, 'spare'),
  };
}

function rawAnswer({ slices, state, ...answer }: Answer): Raw {
  return { ...answer, state: numberOf(STATES, state), slices: slices.map(rawSliceAnswer) };
}

function readAnswer(raw: Raw): Answer {
  const echo = optionalChild(raw, 'echo', (whose) => ({ instance: text(whose, 'instance'), sentAt: moment(whose, 'sentAt') }));
  return {
    kind: 'answer',
    term: count(raw, 'term'),
    lease: count(raw, 'lease'),
    number: count(raw, 'number'),
    ...(echo === undefined ? {} : { echo }),
    state: choice(raw, 'state', STATES),
    slices: list(raw, 'slices', MAX_SLICES, readSliceAnswer),
  };
}

function rawSliceAnswer(slice: SliceAnswer): Raw {
  return {
    of: slice,
    granted: String(slice.granted),
    returned: String(slice.returned),
    spent: String(slice.spent),
    allowance: String(slice.allowance),
    limitAmount: String(slice.limitAmount),
    unspent: String(slice.unspent),
    offer: String(slice.offer),
    elsewhere: String(slice.elsewhere),
    isFinal: slice.isFinal,
    supply: numberOf(SUPPLIES, slice.supply),
    fault: slice.fault === undefined ? undefined : numberOf(FAULTS, slice.fault),
  };
}

function readSliceAnswer(raw: Raw): SliceAnswer {
  return {
    ...child(raw, 'of', readPeriod),
    granted: amount(raw, 'granted'),
    returned: amount(raw, 'returned'),
    spent: amount(raw, 'spent'),
    allowance: amount(raw, 'allowance'),
    limitAmount: amount(raw, 'limitAmount'),
    unspent: signedAmount(raw, 'unspent'),
    offer: amount(raw, 'offer'),
    elsewhere: amount(raw, 'elsewhere'),
    isFinal: flag(raw, 'isFinal'),
    supply: choice(raw, 'supply', SUPPLIES),
    ...(raw['fault'] === 0 ? {} : { fault: choice(raw, 'fault', FAULTS) }),
  };
}

function readPeriod(raw: Raw): PeriodRef {
  return { limit: text(raw, 'limit'), subject: text(raw, 'subject'), period: count(raw, 'period') };
}
