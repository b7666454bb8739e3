import { concatBytes, encodeUtf8, parsePlainObject } from '../json/index.ts';
import type { Usage } from '../catalog/index.ts';
import { EventReader } from './sse.ts';
import type { EventData, EventListener } from './sse.ts';
import type { JsonObject } from './values.ts';

/** What the events that end a stream need, where those that came do not say it. */
export interface EnderContext {
  /** Ours, where the provider gave no id. */
  readonly requestId: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Whether the caller asked for usage in the stream, in dialects where it has to. */
  readonly wantsUsage: boolean;
}

/**
 * Ends a stream before its provider does, so that the caller's SDK takes what came for an answer that grew too long: what is
 * open is closed, and the reason is the dialect's own word for a cap that was reached.
 */
export interface StreamEnder {
  /** An event that goes on to the caller, whole. */
  passed(event: Uint8Array): void;
  /** The events that end it. Nothing may follow. */
  ending(usage: Usage): Uint8Array;
}

/** What depends on the dialect. */
interface EnderLanguage {
  /** An event's data, where that is a JSON object. */
  read(event: JsonObject): void;
  ending(usage: Usage): readonly string[];
}

/** Reads what passes, as events with JSON in them, and writes the end. */
export class EventEnder implements StreamEnder, EventListener {
  readonly #language: EnderLanguage;
  readonly #reader = new EventReader(this, false);

  constructor(language: EnderLanguage) {
    this.#language = language;
  }

  passed(event: Uint8Array): void {
    this.#reader.push(event, false);
  }

  ending(usage: Usage): Uint8Array {
    return concatBytes(this.#language.ending(usage).map(encodeUtf8));
  }

  event(_name: string, { bytes, start, end }: EventData): 'keep' {
    const event = parsePlainObject(bytes.subarray(start, end));
    if (event !== undefined) this.#language.read(event.value);
    return 'keep';
  }

  unreadable(): void {
    // An event of megabytes (an image) opens and closes nothing.
  }
}
