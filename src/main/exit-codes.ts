/** How a command ends, for scripts. */
export const EXIT = {
  ok: 0,
  /** What was asked about is not in order: `validate` found errors, `check` a refused key, `explain` a refusal. */
  finding: 1,
  usage: 2,
  /** It could not start, or could not reach what it needs. */
  unavailable: 3,
  /** A bug of ours. */
  internal: 70,
  interrupted: 130,
} as const;

/** For people: docs/reference/cli.md lists these. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, 'done; for `run`: stopped as asked'],
  [
    EXIT.finding,
    'what was asked about is not in order: `validate` found an error, `check` a provider that does not accept its key, `explain` a call that would be refused',
  ],
  [EXIT.usage, 'wrong usage: an unknown command or option, or a value that cannot be read'],
  [
    EXIT.unavailable,
    'it could not start, or could not reach what it needs: a taken port, no Envoy, a state folder that cannot be used, no running server and no books',
  ],
  [EXIT.internal, 'a bug; please report it'],
  [EXIT.interrupted, 'interrupted before it was ready, or a second time before the calls in flight had ended'],
];
