/** The journal cannot be written or read. Says where, why, and what to do; `code` is the operating system's, where there is one. */
export class JournalFailure extends Error {
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JournalFailure';
    this.code = code;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EROFS: 'the file system is read-only; mount it for writing, or name another state folder',
  EACCES: 'it may not be written by this user; change its owner or permissions, or name another state folder',
  EPERM: 'it may not be written by this user; change its owner or permissions, or name another state folder',
  EIO: 'the disk reports an error; check it before trusting what it holds',
  EMFILE: 'too many files are open; raise the limit',
  ENOTDIR: 'it is not a folder; name another state folder',
  EEXIST: 'it is not a folder; name another state folder',
  ENOENT: 'it is gone; was the state folder removed while in use?',
};

/** What the file system said about a path, in words. */
export function journalFailure(path: string, error: unknown): JournalFailure {
  if (error instanceof JournalFailure) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = (code === undefined ? undefined : REMEDIES[code]) ?? (error instanceof Error ? error.message : String(error));
  return new JournalFailure(`${path}: ${reason}`, code, { cause: error });
}
