const COUNT = new Intl.NumberFormat('en');
const MONEY = new Intl.NumberFormat('en', { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const SMALL = new Intl.NumberFormat('en', { minimumFractionDigits: 7, maximumFractionDigits: 7 });

/** To a hundredth of a cent; less only where that would show nothing. */
export function money(decimal: string): string {
  const value = Number(decimal);
  return (value !== 0 && Math.abs(value) < 0.0001 ? SMALL : MONEY).format(value);
}

export const count = (value: number): string => COUNT.format(value);

/** In a limit's unit. */
export const amount = (decimal: string, unit: string): string => (unit === 'usd' ? `$${money(decimal)}` : `${count(Number(decimal))} ${unit}`);

/** From 0 to 1, of what there may be none of. */
export function share(part: string, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, Number(part) / whole)) : 0;
}

/** To the minute, as that is how windows end. */
export const timeOf = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
