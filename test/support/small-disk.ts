import { spawnSync } from 'node:child_process';

/** Runs a program on a disk of its own, which goes away with it. Needs user namespaces. */
export interface SmallDisk {
  /** As `mount` takes it: `64k`. */
  readonly size: string;
  /** Where the disk is mounted: an empty folder. */
  readonly at: string;
  /** Its content is put on the disk first. */
  readonly content?: string;
  /** Then the rest is filled, or the disk made read-only. */
  readonly make?: 'full' | 'read-only';
  /** In the end, what is on the disk is copied there, before it goes away. */
  readonly copyTo?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const SCRIPT = `
mount -t tmpfs -o size="$SIZE" none "$AT" || exit 90
if [ -n "$CONTENT" ]; then cp -a "$CONTENT/." "$AT/" || exit 91; fi
if [ "$MAKE" = full ]; then dd if=/dev/zero of="$AT/filler" bs=4k >/dev/null 2>&1; fi
if [ "$MAKE" = read-only ]; then mount -o remount,ro "$AT" || exit 92; fi
"$@"
code=$?
if [ -n "$COPY_TO" ]; then rm -f "$AT/filler" 2>/dev/null; cp -a "$AT/." "$COPY_TO/" || exit 93; fi
exit $code
`;

const WITHIN_MS = 60_000;

export function onSmallDisk({ size, at, content = '', make, copyTo = '' }: SmallDisk, program: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', SCRIPT, 'sh', ...program], {
    env: { ...process.env, SIZE: size, AT: at, CONTENT: content, MAKE: make ?? '', COPY_TO: copyTo },
    encoding: 'utf8',
    timeout: WITHIN_MS,
  });
  return { code: status, stdout, stderr };
}

/** Whether this machine lets us. */
export const hasSmallDisks = (): boolean =>
  spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'ignore' }).status === 0;
