import type { KeyReport, SidecarView } from '../../../core/control/index.ts';
import type { Result } from '../../../core/units/index.ts';
import { count, flag, list, name, optionalChild, optionalCount, optionalFlag, optionalText, text, texts, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { schema } from './schema.ts';

/** What a workload can have of each, and more. */
const MAX_KEYS = 10_000;
const MAX_HOSTS = 1_000;

/** What a sidecar says of itself; whole, so the newest counts. */
export type SidecarReport = Pick<SidecarView, 'applied' | 'refused' | 'keys' | 'ownKeysFor' | 'program'>;

const reportSchema = schema('SidecarReport');

export function encodeReport(report: SidecarReport): Buffer {
  return reportSchema.encode({ ...report });
}

/** The error names the field and what is wrong with it. */
export function decodeReport(bytes: Uint8Array): Result<SidecarReport, string> {
  return reportSchema.decode(bytes, (raw) =>
    withoutAbsent<SidecarReport>({
      program: name(raw, 'program'),
      applied: optionalText(raw, 'applied'),
      refused: optionalChild(raw, 'refused', readRefusal),
      keys: list(raw, 'keys', MAX_KEYS, readKey),
      ownKeysFor: texts(raw, 'ownKeysFor', MAX_HOSTS),
    }),
  );
}

function readRefusal(raw: Raw): NonNullable<SidecarReport['refused']> {
  return { version: text(raw, 'version'), reason: text(raw, 'reason') };
}

function readKey(raw: Raw): KeyReport {
  return withoutAbsent<KeyReport>({
    ref: name(raw, 'ref'),
    totalRejections: count(raw, 'totalRejections'),
    used: flag(raw, 'used'),
    lastRejectedAt: optionalCount(raw, 'lastRejectedAt'),
    isRefused: optionalFlag(raw, 'isRefused'),
  });
}
