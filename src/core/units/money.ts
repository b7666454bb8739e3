/** An amount of money in billionths of a US dollar. Integer, so sums never drift; JSON carries it as a decimal string. */
export type NanoUsd = bigint;

/** Nano-dollars in one dollar. */
export const NANO_PER_USD: NanoUsd = 1_000_000_000n;

/** Largest amount that is accepted from outside: a billion dollars. Beyond it, a typing error is likelier than a budget. */
const MAX_USD_DIGITS = 9;

/** So much of a wrong amount is enough to find it by. */
const MAX_QUOTED = 40;

export type ParsedUsd = { readonly ok: true; readonly value: NanoUsd } | { readonly ok: false; readonly error: string };

/**
 * Reads a decimal number of dollars, such as `"25"`, `"0.35"` or `2`, exactly.
 * Numbers go by their shortest decimal form, so `0.35` is 350,000,000 nano-dollars. Negative amounts, exponents, more
 * than nine decimals and amounts of a billion dollars or more are errors that say what was expected.
 */
export function parseUsd(input: string | number): ParsedUsd {
  const text = typeof input === 'number' ? decimalOf(input) : input.trim();
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  const quoted = JSON.stringify(input).slice(0, MAX_QUOTED);
  if (!match) return { ok: false, error: `${quoted} is not an amount; write dollars as a decimal such as "25" or "0.35"` };
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > 9) return { ok: false, error: `${quoted} has more than nine decimals; a nano-dollar is the smallest unit` };
  if (whole.replace(/^0+/, '').length > MAX_USD_DIGITS) return { ok: false, error: `${quoted} is a billion dollars or more` };
  return { ok: true, value: BigInt(whole) * NANO_PER_USD + BigInt(fraction.padEnd(9, '0')) };
}

/** `parseUsd` for constants in the source; throws on what is not an amount, as that is a bug. */
export function usdToNano(input: string | number): NanoUsd {
  const parsed = parseUsd(input);
  if (!parsed.ok) throw new TypeError(parsed.error);
  return parsed.value;
}

/** Writes dollars exactly, without trailing zeros: `1500000000n` is `"1.5"`. */
export function formatNanoUsd(amount: NanoUsd): string {
  const sign = amount < 0n ? '-' : '';
  const abs = amount < 0n ? -amount : amount;
  const fraction = (abs % NANO_PER_USD).toString().padStart(9, '0').replace(/0+$/, '');
  return `${sign}${abs / NANO_PER_USD}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * Converts at a rate given as units of the other currency per dollar, in the same fixed-point form (7.3 is
 * `7_300_000_000n`). Rounds up, so a converted total is never below what was spent.
 */
export function convertNanoUsd(amount: NanoUsd, rateNano: bigint): bigint {
  return ceilDiv(amount * rateNano, NANO_PER_USD);
}

/** Integer division that rounds towards positive infinity. The divisor must be positive. */
export function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > 0n && dividend % divisor !== 0n ? quotient + 1n : quotient;
}

function decimalOf(value: number): string {
  const text = String(value);
  const exponent = /^(\d)(?:\.(\d+))?e-(\d+)$/.exec(text);
  if (!exponent) return text;
  const [, lead = '', rest = '', power = '0'] = exponent;
  return `0.${'0'.repeat(Number(power) - 1)}${lead}${rest}`;
}
