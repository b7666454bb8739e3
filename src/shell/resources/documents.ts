import { LineCounter, isCollection, isMap, isScalar, parseAllDocuments, visit } from 'yaml';
import type { Document, YAMLError, YAMLMap } from 'yaml';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

/** One document of a file. Its nodes know their offsets, and `lines` makes places of them. */
export interface Source {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** What is wrong with a document before anything is known of what it means. */
export interface Fault {
  /** Into the file's text. */
  readonly offset: number;
  /** Quotes none of the file, where keys may stand. */
  readonly message: string;
}

/** Resources are ten deep or so; a body's fields may be deeper. */
const MAX_DEPTH = 64;

const MAX_ALIASES = 100;

/** Each alias may stand for others; multiplied, as the library does. */
const MAX_EXPANDED_ALIASES = 1000;

/** Text of YAML or JSON (which is YAML) → its documents, whether or not they are in order. */
export function documentsIn(text: string, file: string): readonly Source[] {
  const lines = new LineCounter();
  // The library compares each key with each other one of its map; `fieldTwice` does not.
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, stringKeys: true, prettyErrors: false });
  return (Array.isArray(documents) ? documents : []).map((document) => ({ file, document, lines }));
}

/** A document's content as plain values; a tree, and no deeper than `MAX_DEPTH`. */
export function contentOf({ document }: Source): Result<unknown, Fault> {
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) return err({ offset: broken.pos[0], message: messageOf(broken) });
  const fault = faultIn(document);
  if (fault !== undefined) return err(fault);
  try {
    return ok(document.toJS({ maxAliasCount: MAX_EXPANDED_ALIASES }));
  } catch {
    return err({ offset: offsetOf(document.contents), message: `has aliases that stand for more than ${MAX_EXPANDED_ALIASES} others` });
  }
}

/** What the parser lets pass, and must not reach whoever reads the content. */
function faultIn(document: Document): Fault | undefined {
  let fault: Fault | undefined;
  let aliases = 0;
  const anchors = new Set<string | undefined>();
  const stop = (node: unknown, message: string): symbol => {
    fault = { offset: offsetOf(node), message };
    return visit.BREAK;
  };
  visit(document, {
    Scalar: (_key, { anchor }) => void anchors.add(anchor),
    Alias: (_key, alias, path) => {
      if (++aliases > MAX_ALIASES) return stop(alias, `is one alias more than ${MAX_ALIASES}`);
      if (path.some((node) => 'anchor' in node && node.anchor === alias.source)) return stop(alias, 'is an alias within what it stands for');
      return anchors.has(alias.source) ? undefined : stop(alias, 'is an alias that stands for nothing');
    },
    Collection: (_key, node, path) => {
      anchors.add(node.anchor);
      if (path.filter(isCollection).length >= MAX_DEPTH) return stop(node, `is nested deeper than ${MAX_DEPTH}`);
      const twice = isMap(node) ? fieldTwice(node) : undefined;
      return twice === undefined ? undefined : stop(twice, 'is a field that stands here twice');
    },
  });
  return fault;
}

/** The first key of a map that another before it equals. */
function fieldTwice(map: YAMLMap): unknown {
  const seen = new Set<unknown>();
  return map.items.find(({ key }) => isScalar(key) && (seen.has(key.value) || !seen.add(key.value)))?.key;
}

function offsetOf(node: unknown): number {
  return (node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** The library's own words, but for those that quote the file. */
function messageOf({ code, message }: YAMLError): string {
  switch (code) {
    case 'RESOURCE_EXHAUSTION':
      return `is nested deeper than ${MAX_DEPTH}`;
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_COLLECTION_TYPE':
      return 'has a tag that means nothing here; put a text that begins with "!" in quotes';
    case 'NON_STRING_KEY':
      return 'is a field whose name is no text';
    case 'BAD_DIRECTIVE':
      return 'is a directive that means nothing here';
    default:
      return message.replace(/(?<=[\w)]): [^]*$/, '');
  }
}
