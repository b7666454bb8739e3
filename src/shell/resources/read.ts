import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, isMap, isNode, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { parseResource, resourceId } from '../../core/policy/index.ts';
import type { Finding, Resource } from '../../core/policy/index.ts';

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
  /** Every file and folder that was looked at. */
  readonly files: readonly string[];
  readonly locate: (finding: Finding) => LocatedFinding;
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 1000;
const MAX_DOCUMENTS = 5000;
/** An alias may stand for another that stands for ten more; past this many in all, it is an attack or a mistake. */
const MAX_ALIASES = 100;
const RESOURCE_FILE = /\.(?:ya?ml|json)$/;

interface Source {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

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
  return { resources, findings, files: [...paths, ...files], locate };
}

function filesOf(path: string, findings: LocatedFinding[]): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => RESOURCE_FILE.test(name) && !name.startsWith('.'));
    if (names.length > MAX_FILES) findings.push(fileFinding(path, `holds ${names.length} files; at most ${MAX_FILES} are read`));
    return names.toSorted().slice(0, MAX_FILES).map((name) => join(path, name));
  } catch (error) {
    findings.push(fileFinding(path, readProblem(error)));
    return [];
  }
}

function documentsOf(file: string, findings: LocatedFinding[]): Source[] {
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) {
      findings.push(fileFinding(file, `has ${size} bytes; at most ${MAX_FILE_BYTES} are read`));
      return [];
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    findings.push(fileFinding(file, readProblem(error)));
    return [];
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, maxAliasCount: MAX_ALIASES } as never);
  const list = Array.isArray(documents) ? documents : [];
  if (list.length > MAX_DOCUMENTS) findings.push(fileFinding(file, `holds ${list.length} documents; at most ${MAX_DOCUMENTS} are read`));
  return list.slice(0, MAX_DOCUMENTS).map((document) => ({ file, document, lines }));
}

function readDocument(source: Source, resources: Resource[], sources: Map<string, Source>, findings: LocatedFinding[]): void {
  const { file, document, lines } = source;
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    findings.push({ severity: 'error', resource: 'document', path: '', message: broken.message, file, line, column: col });
    return;
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    findings.push(placed({ severity: 'error', resource: 'document', path: '', message: `cannot be read: ${messageOf(error)}` }, source));
    return;
  }
  if (value === null || value === undefined) return;
  const parsed = parseResource(value);
  if (!parsed.ok) {
    findings.push(...parsed.error.map((finding) => placed(finding, source)));
    return;
  }
  const label = `${parsed.value.kind} ${resourceId(parsed.value)}`;
  if (sources.has(label)) {
    const first = sources.get(label);
    findings.push(placed({ severity: 'error', resource: label, path: 'metadata.name', message: `is declared in ${first?.file ?? 'another file'} already` }, source));
    return;
  }
  sources.set(label, source);
  resources.push(parsed.value);
}

/** The place of a field path in its document; of its nearest ancestor where the field is not there. */
function placed(finding: Finding, { file, document, lines }: Source): LocatedFinding {
  const path = finding.path === '' ? [] : finding.path.replaceAll(/\[(\d+)\]/g, '.$1').split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
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
