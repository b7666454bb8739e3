import { JsonWatcher } from '../json/index.ts';

const LINE_FEED = 0x0a;

/** What of each line is wanted. Paths are those of `JsonWatcher`. */
export interface WantedOfLine {
  readonly paths: ReadonlySet<string>;
  readonly maxPathDepth: number;
  readonly maxValueBytes: number;
  /** A value of the present line; `undefined` where it is too long. */
  readonly found: (path: string, value: Uint8Array | undefined) => void;
  /** The present line is over. Blank lines are not told. */
  readonly lineEnd: (isWhole: boolean) => void;
}

const NO_KEYS: ReadonlySet<string> = new Set();

/** Reads JSON objects, one to a line, as they come: keeps no more of a line than the value that is being read. */
export class JsonLines {
  readonly #wanted: WantedOfLine;
  #watcher: JsonWatcher;
  #isBlank = true;

  constructor(wanted: WantedOfLine) {
    this.#wanted = wanted;
    this.#watcher = this.#newWatcher();
  }

  push(chunk: Uint8Array, endOfStream: boolean): void {
    let at = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, at)) {
      this.#take(chunk.subarray(at, end));
      this.#finish();
      at = end + 1;
    }
    this.#take(chunk.subarray(at));
    if (endOfStream) this.#finish();
  }

  #take(part: Uint8Array): void {
    if (this.#isBlank && !part.some((byte) => byte > 0x20)) return;
    this.#isBlank = false;
    this.#watcher.push(part);
  }

  #finish(): void {
    if (this.#isBlank) return;
    this.#wanted.lineEnd(this.#watcher.state === 'complete');
    this.#watcher = this.#newWatcher();
    this.#isBlank = true;
  }

  #newWatcher(): JsonWatcher {
    const { paths, maxPathDepth, maxValueBytes, found } = this.#wanted;
    return new JsonWatcher({ paths, maxPathDepth, maxValueBytes, found, textKeys: NO_KEYS });
  }
}
