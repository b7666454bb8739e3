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
