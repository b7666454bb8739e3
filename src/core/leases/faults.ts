import type { Report, SliceReport, ToAuthority } from './messages.ts';

/** Slices in one report; the others follow with the next. */
export const MAX_SLICES = 1_000;
/** Of names in messages, in characters. */
const MAX_NAME = 1_024;
/** Rolling windows have 60 buckets, and as many again until the last are booked. */
const MAX_BUCKETS = 256;
/** Far beyond any sum of limits; what is more is a mistake. */
const MAX_AMOUNT = 2n ** 96n;

/** What no honest holder says; `undefined` where the message makes sense. It never names what it quotes at length. */
export function messageFault(message: ToAuthority): string | undefined {
  if (!Number.isFinite(message.sentAt)) return 'sentAt is not a time';
  if (message.kind === 'join') return nameFault('nonce', message.nonce);
  return reportFault(message);
}

function reportFault({ lease, instance, at, heard, slices }: Report): string | undefined {
  if (!Number.isSafeInteger(lease) || lease < 1) return 'lease is not the number of a lease';
  if (!Number.isSafeInteger(at) || at < 0) return 'at is not a time';
  if (!Number.isSafeInteger(heard) || heard < 0) return 'heard is not the number of an answer';
  if (slices.length > MAX_SLICES) return `there are ${slices.length} slices; at most ${MAX_SLICES} were expected`;
  for (const slice of slices) {
    const fault = sliceFault(slice);
    if (fault !== undefined) return fault;
  }
  return nameFault('instance', instance);
}

function sliceFault(slice: SliceReport): string | undefined {
  for (const counter of ['returned', 'spent', 'need', 'least', 'more', 'spare'] as const) {
    if (slice[counter] < 0n || slice[counter] > MAX_AMOUNT) return `${counter} is not an amount`;
  }
  const { buckets = [], limit, subject, period } = slice;
  if (!Number.isSafeInteger(period) || period < 0) return 'period is not the start of a window';
  if (buckets.length > MAX_BUCKETS) return `there are ${buckets.length} buckets; at most ${MAX_BUCKETS} were expected`;
  for (const { start, amount } of buckets) {
    if (!Number.isSafeInteger(start) || start < 0) return 'start is not the start of a bucket';
    if (amount < 0n || amount > MAX_AMOUNT) return 'amount is not an amount';
  }
  return nameFault('limit', limit) ?? nameFault('subject', subject);
}

function nameFault(field: string, name: string): string | undefined {
  return name.length > MAX_NAME ? `${field} has ${name.length} characters; at most ${MAX_NAME} were expected` : undefined;
}
