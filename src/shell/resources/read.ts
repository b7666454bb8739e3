import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isNode } from 'yaml';
import type { Document } from 'yaml';
import { parseResource, resourceId } from '../../core/policy/index.ts';
import type { Finding, Resource } from '../../core/policy/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { contentOf, documentsIn } from './documents.ts';
import type { Source } from './documents.ts';

/** A finding with its place. */
export interface LocatedFinding extends Finding {
  readonly file: string;
  /** From 1; 0 where there is no place in the file. */
  readonly line: number;
  readonly column: number;
}

/** What files held. `locate` finds the place of a field of any of these resources. */
export interface ReadResult {
  readonly resources: readonly Resource[];
  readonly findings: readonly LocatedFinding[];
  readonly locate: (finding: Finding) => LocatedFinding;
}

/** As much as a ConfigMap holds; all of an organisation's resources are a tenth of it. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 1000;
const MAX_DOCUMENTS = 5000;
const RESOURCE_FILE = /\.(?:ya?ml|json)$/;

/** Reads resources from files and folders (not below them). One broken document does not hide the others. */
export function readResources(paths: readonly string[]): ReadResult {
  const findings: LocatedFinding[] = [];
  const resources: Resource[] = [];
  const sources = new Map<string, Source>();
  const files = paths.flatMap((path) => filesOf(path, findings));
  for (const file of files) {
    for (const source of documentsOf(file, findings)) readDocument(source, resources, sources, findings);
  }
  const locate = (finding: Finding): LocatedFinding => {
    const source = sources.get(finding.resource);
    return source === undefined ? { ...finding, file: '', line: 0, column: 0 } : placed(finding, source);
  };
  return { resources, findings, locate };
}

/** Every file and folder that `readResources` would look at. */
export function resourceFiles(paths: readonly string[]): readonly string[] {
  return [...paths, ...paths.flatMap((path) => filesOf(path, []))];
}

function filesOf(path: string, findings: LocatedFinding[]): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => RESOURCE_FILE.test(name) && !name.startsWith('.'));
    if (names.length > MAX_FILES) findings.push(fileFinding(path, `holds ${names.length} files; at most ${MAX_FILES} are read`));
    return names
      .toSorted()
      .slice(0, MAX_FILES)
      .map((name) => join(path, name))
      .filter((file) => {
        if (!isFile(file)) findings.push(fileFinding(file, 'is not a file'));
        return isFile(file);
      });
  } catch (error) {
    findings.push(fileFinding(path, readProblem(error)));
    return [];
  }
}

/** What does not exist (a link that leads nowhere) is for the reader to tell; a pipe would keep it waiting. */
const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() !== false;

function documentsOf(file: string, findings: LocatedFinding[]): readonly Source[] {
  const text = textOf(file);
  if (!text.ok) {
    findings.push(fileFinding(file, text.error));
    return [];
  }
  const documents = documentsIn(text.value, file);
  if (documents.length > MAX_DOCUMENTS) findings.push(fileFinding(file, `holds ${documents.length} documents; at most ${MAX_DOCUMENTS} are read`));
  return documents.slice(0, MAX_DOCUMENTS);
}

/** Bytes that are no UTF-8 would silently become other characters. Editors put a byte order mark before each document. */
function textOf(file: string): Result<string, string> {
  let bytes: Buffer;
  try {
    bytes = readBytes(file);
  } catch (error) {
    return err(readProblem(error));
  }
  if (bytes.length > MAX_FILE_BYTES) return err(`has more than ${MAX_FILE_BYTES} bytes; divide it`);
  if (!isUtf8(bytes)) return err(`is not UTF-8 (line ${firstBrokenLine(bytes)}); save it as UTF-8`);
  return ok(bytes.toString('utf8').replaceAll(/^\u{feff}/gmu, ''));
}

/** One byte more than is allowed at most, whatever the file says of its size: a pipe says nothing. */
function readBytes(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count) count = readSync(descriptor, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function firstBrokenLine(bytes: Buffer): number {
  const lines = bytes.toString('latin1').split('\n');
  return lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1'))) + 1;
}

/** A broken document is left out and reported; those before and behind it are read, so that one start tells of all that is wrong. */
function readDocument(source: Source, resources: Resource[], sources: Map<string, Source>, findings: LocatedFinding[]): void {
  const { file, lines } = source;
  const content = contentOf(source);
  if (!content.ok) {
    const { line, col } = lines.linePos(content.error.offset);
    findings.push({ severity: 'error', resource: 'document', path: '', message: content.error.message, file, line, column: col });
    return;
  }
  if (content.value === null || content.value === undefined) return;
  const parsed = parseResource(content.value);
  if (!parsed.ok) {
    findings.push(...parsed.error.map((finding) => placed(finding, source)));
    return;
  }
  const label = `${parsed.value.kind} ${resourceId(parsed.value)}`;
  if (sources.has(label)) {
    const first = sources.get(label);
    findings.push(
      placed({ severity: 'error', resource: label, path: 'metadata.name', message: `is declared in ${first?.file ?? 'another file'} already` }, source),
    );
    return;
  }
  sources.set(label, source);
  resources.push(parsed.value);
}

/** The place of a field path in its document; of its nearest ancestor where the field is not there. */
function placed(finding: Finding, { file, document, lines }: Source): LocatedFinding {
  const path =
    finding.path === ''
      ? []
      : finding.path
          .replaceAll(/\[(\d+)\]/g, '.$1')
          .split('.')
          .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let length = path.length; length >= 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return { ...finding, file, line, column: col };
    }
  }
  return { ...finding, file, line: 1, column: 1 };
}

function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  const parent = path.length === 0 ? undefined : path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(last));
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0];
    return undefined;
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function fileFinding(file: string, message: string): LocatedFinding {
  return { severity: 'error', resource: 'file', path: '', message, file, line: 0, column: 0 };
}

function readProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read; check its permissions';
  return `cannot be read: ${messageOf(error)}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `file:line:column  AIRoute shop/chat  spec.rules[0]  message`, as compilers write it. */
export function formatFinding({ file, line, column, resource, path, message, severity }: LocatedFinding): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return [place, severity === 'warning' ? 'warning' : '', resource, path, message].filter((part) => part !== '').join('  ');
}
