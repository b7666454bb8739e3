import type { Usage } from '../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../json/index.ts';
import type { Result } from '../units/index.ts';
import type { Endpoint, RequestContentHeaders, RequestFault } from './types.ts';

/** What a provider keeps for whoever holds the key, and is let through here: each belongs to the workload that made it. */
export type StateKind = 'file' | 'batch' | 'response' | 'cached_content';

/** What a request does with such things. `content`: what is in one of them, whatever its form. */
export type StateAction = 'create' | 'list' | 'get' | 'content' | 'cancel' | 'update' | 'delete';

/** The part of an endpoint that says what is kept there. `id` is absent for `create` and `list`. */
export interface StateTarget {
  readonly kind: StateKind;
  readonly action: StateAction;
  readonly id?: string;
}

/** A request's mention of something that is kept. */
export interface StateReference {
  readonly kind: StateKind;
  readonly id: string;
  /** JSON path of the mention. */
  readonly param: string;
}

/** Something kept that an answer tells of, and that belongs to whoever asked. */
export interface FoundObject {
  readonly kind: StateKind;
  readonly id: string;
  /** Seconds since the epoch, where the provider tells when it goes away. */
  readonly expiresAtS?: number;
  /** Tokens that it adds to a call that refers to it, at most. */
  readonly tokens?: number;
}

/** What a creation asks for. */
export type Creation =
  /** Something that costs nothing by itself. */
  | { readonly kind: 'plain' }
  /** Requests for later: those of a batch, or those of a file for one. */
  | { readonly kind: 'requests'; readonly requests: readonly BatchRequest[]; readonly startsNow: boolean; readonly endpointPath: string }
  /** Input that a model reads once, to be used with later calls; billed as input when it is made. */
  | { readonly kind: 'input'; readonly request: BatchRequest }
  /** A batch of the requests that a file holds. */
  | { readonly kind: 'of_file'; readonly file: StateReference; readonly endpointPath: string };

/** One request of a batch: a JSON object at `[start, end)` of the body that holds it. */
export interface BatchRequest {
  readonly endpoint: Endpoint;
  readonly start: number;
  readonly end: number;
  /** How a fault names it: `line 3`, `requests[2]`. */
  readonly name: string;
}

/** What a batch says of itself. Paths are below the API's root. */
export type BatchStatus =
  | { readonly kind: 'open' }
  /** Over; what it did is in these results, one JSON object to a line, or in the batch itself. */
  | { readonly kind: 'ended'; readonly results: readonly string[] | 'inline'; readonly outputs: readonly FoundObject[] };

/** One answer in a batch's results. */
export interface BatchAnswer {
  /** As the provider names it. */
  readonly model: string | undefined;
  /** `undefined`: it was served, and what it used is not said, or not to be read. */
  readonly usage: Usage | undefined;
}

/** Reads results as they come, in bounded memory. */
export interface BatchResultReader {
  push(chunk: Uint8Array, endOfStream: boolean): void;
}

/** Watches an answer as it passes. */
export interface StateWatcher {
  push(chunk: Uint8Array, endOfStream: boolean): void;
}

/** How a dialect speaks of what its API keeps. */
export interface StateLanguage {
  /** How its own API says that there is no such thing. */
  absent(reference: Pick<StateReference, 'kind' | 'id'>): string;
  /** What a request to create (or to change) asks for; checks it as far as cost and ownership go. */
  readCreation(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<Creation, RequestFault>;
  /** Tells of what an answer names, before the chunk that completes the name goes on. */
  watch(endpoint: Endpoint, answer: 'json' | 'sse', found: (object: FoundObject) => void): StateWatcher;
  /** The query of a list, asking for the largest page, and how many items the caller asked for. */
  widenList(endpoint: Endpoint, query: string): { readonly query: string; readonly limit: number };
  /** A page of a list without what `owns` denies, at most `limit` items; `undefined`: the body is no list. */
  filterList(endpoint: Endpoint, body: Uint8Array, owns: (kind: StateKind, id: string) => boolean, limit: number): FilteredList | undefined;
  /** Answers that lead a client past this mesh, made to lead through it; absent: there are none in this API. */
  readonly rewrite?: { concerns(endpoint: Endpoint): boolean; edit(body: Uint8Array): Uint8Array };
  /** Where a batch is asked for, below the API's root. */
  batchPath(id: string): string;
  /** `undefined`: that is no batch. */
  readBatch(body: Uint8Array): BatchStatus | undefined;
  /** `endpointPath`: what its requests are for. `found` is told of each request that was served; those that were not cost nothing. */
  readResults(endpointPath: string, found: (answer: BatchAnswer) => void): BatchResultReader;
}

export interface FilteredList {
  readonly body: Uint8Array;
  /** What else belongs to the owners of what is listed. */
  readonly found: readonly FoundObject[];
}

/** Ids as providers make them: nothing in them can end a path's segment or a journal entry's key. */
const OBJECT_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;

/** Most things that one request may refer to. */
export const MAX_REFERENCES = 256;

/** Most requests of one batch: OpenAI's own limit; Anthropic's is 100,000 and a size that no body here reaches. */
export const MAX_BATCH_REQUESTS = 50_000;

export function isObjectId(text: string): boolean {
  return OBJECT_ID.test(text);
}

/** A string member's text, where it is one. */
export function textAt(document: JsonDocument, members: ReadonlyMap<string, JsonNode>, name: string): string | undefined {
  const node = members.get(name);
  return node === undefined || document.kind(node) !== 'string' ? undefined : document.text(node);
}

export function membersOf(document: JsonDocument, node: JsonNode | undefined): ReadonlyMap<string, JsonNode> {
  const members = node === undefined || document.kind(node) !== 'object' ? undefined : document.members(node);
  return members?.ok === true ? members.value : new Map<string, JsonNode>();
}
