import { z } from 'zod';
import { parseUsd } from '../../units/index.ts';
import { judged, quoted, untyped, withRule } from './cel.ts';

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

// Where a pattern bounds the length already, the bound is stated for the API server alone: one mistake is one finding.
export const name = z.string().regex(NAME, 'must be a DNS name: lower-case letters, digits, "-" and "."').meta({ maxLength: 253 });
export const headerName = z
  .string()
  .regex(/^[a-zA-Z0-9!#$%&*+.^_|~-]{1,128}$/, 'must be a header name')
  .meta({ maxLength: 128 })
  .transform((text) => text.toLowerCase());
/** A name that certificates can be issued for: no address, no wildcard. */
export const hostName = z
  .string()
  .regex(/^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/, 'must be a DNS name such as "api.openai.com"')
  .max(253)
  .transform((text) => text.toLowerCase());
export const modelName = z.string().min(1).max(256);
export const pattern = modelName.transform((text) => text.toLowerCase());
export const tokens = z.int().min(1).max(100_000_000);

/** Longer than any amount that is one, with room for white space and zeros. */
const MAX_USD_LENGTH = 64;

const dollars = z.union([z.string(), z.number()], 'must be dollars as a decimal, such as "25" or "0.35"').transform((value, context) => {
  const parsed = parseUsd(value);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** Numbers below a billion; `parseUsd` counts their decimals as well, which nothing here can. */
const DOLLARS = { pattern: '^\\s*0*[0-9]{1,9}(\\.[0-9]{1,9})?\\s*$', maxLength: MAX_USD_LENGTH, minimum: 0, maximum: 1e9, exclusiveMaximum: true };

/** Dollars as a decimal, in quotes or not; parsed to nano-dollars. */
export const usd = dollars.meta(untyped(DOLLARS, ['array', 'object', 'boolean']));

export const usdAboveZero = dollars
  .refine((amount) => amount > 0n, 'must be above zero')
  .meta(untyped({ ...DOLLARS, exclusiveMinimum: true, allOf: [{ pattern: '[1-9]' }] }, ['array', 'object', 'boolean']));

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DURATION_MS = 366 * 86_400_000;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
/** Nine digits and a unit. */
const MAX_DURATION_LENGTH = 11;
/** So much of a wrong value is enough to find it by. */
const MAX_QUOTED = 40;

const CEL_IS_DURATION = "self.matches('^[0-9]{1,9}(ms|s|m|h|d)$')";
const CEL_MILLISECONDS = `int(self.find('^[0-9]+')) * {${Object.entries(UNIT_MS)
  .map(([unit, ms]) => `'${unit}': ${ms}`)
  .join(', ')}}[self.find('[a-z]+$')]`;
const A_DURATION = 'a duration up to 366d; write one such as "30s", "5m" or "24h"';

/** `500ms`, `30s`, `5m`, `24h`, `7d`; parsed to milliseconds. */
export const duration = withRule(
  z
    .string()
    .transform((text, context) => {
      const [, amount, unit = ''] = DURATION.exec(text) ?? [];
      const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
      if (ms <= MAX_DURATION_MS) return ms;
      context.addIssue({ code: 'custom', message: `${JSON.stringify(text.slice(0, MAX_QUOTED))} is not ${A_DURATION}` });
      return z.NEVER;
    })
    .meta({ maxLength: MAX_DURATION_LENGTH }),
  { rule: `${CEL_IS_DURATION} && ${CEL_MILLISECONDS} <= ${MAX_DURATION_MS}`, message: `must be ${A_DURATION}` },
);

export const durationAtLeast = (ms: number, message: string): typeof duration =>
  judged(duration, message, `!${CEL_IS_DURATION} || ${CEL_MILLISECONDS} >= ${ms}`, (value) => value >= ms);
export const durationAtMost = (ms: number, message: string): typeof duration =>
  judged(duration, message, `!${CEL_IS_DURATION} || ${CEL_MILLISECONDS} <= ${ms}`, (value) => value <= ms);

/** A time that Envoy has to wait, which must not be nothing. */
export const wait = durationAtLeast(1, 'must be above zero');

/** Those that the mesh sets itself, or that decide where a call ends. */
const FORBIDDEN_HEADERS = [
  'host',
  'authorization',
  'proxy-authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'content-length',
  'transfer-encoding',
  'connection',
];
const FORBIDDEN_PREFIXES = '^(:|x-airmesh-|x-envoy-)';
const isForbidden = (lowerCase: string): boolean => FORBIDDEN_HEADERS.includes(lowerCase) || new RegExp(FORBIDDEN_PREFIXES).test(lowerCase);

export const editableHeader = judged(
  headerName,
  'is set by the mesh itself and cannot be edited',
  `!(self.lowerAscii() in [${FORBIDDEN_HEADERS.map(quoted).join(', ')}]) && !self.lowerAscii().matches(${quoted(FORBIDDEN_PREFIXES)})`,
  (text) => !isForbidden(text),
).describe('Name of the header, in any case.');

export const headerMatch = z.strictObject({
  name: headerName.describe('Name of the header, in any case.'),
  value: z.string().max(4096).describe('The whole value, exactly.'),
});
