import { isIP } from 'node:net';

/** Whether an address to listen on, or the name in a `Host` header, can only mean this machine. */
export function isLoopbackName(name: string): boolean {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (lower === 'localhost' || lower.endsWith('.localhost')) return true;
  const address = lower.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** The name in a `Host` header, without its port; `undefined` where it is not of that form. */
export function hostName(header: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:[\]@/?#\s]+)(?::\d{1,5})?$/i.exec(header)?.[1];
}
