/** A start that cannot succeed for a reason that a person can act upon. Everything else that goes wrong is a bug. */
export class StartError extends Error {
  /** What to do about it. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
    this.hint = hint;
  }
}
