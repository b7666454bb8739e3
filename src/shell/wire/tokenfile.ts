import { readFileSync } from 'node:fs';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

/** The kubelet replaces a projected token when four fifths of its life are over, by a link, which file notifications miss. */
const LOOK_MS = 5_000;
const MAX_TOKEN_BYTES = 16_384;

/** A service account's token, as the kubelet keeps it in a file. Shows none of it. */
export class TokenFile {
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #latest: string | undefined;

  constructor(path: string, lookMs = LOOK_MS) {
    this.#path = path;
    const token = this.read();
    this.#latest = token.ok ? token.value : undefined;
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  /** As it is now; the error says what is wrong with the file. */
  read(): Result<string, string> {
    try {
      const token = readFileSync(this.#path, 'utf8').trim();
      if (token === '') return err(`${this.#path} is empty; it should hold the service account’s token`);
      return token.length > MAX_TOKEN_BYTES || /\s/.test(token) ? err(`${this.#path} does not hold a token`) : ok(token);
    } catch (error) {
      return err(`the token ${this.#path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
    }
  }

  /** Calls each time that a newer token is there, until what it returns is called. */
  onRenewed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const token = this.read();
    if (!token.ok || token.value === this.#latest) return;
    const isRenewal = this.#latest !== undefined;
    this.#latest = token.value;
    if (isRenewal) for (const listener of this.#listeners) listener();
  }
}
