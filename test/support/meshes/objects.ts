import { parseAllDocuments } from 'yaml';
import { createProgram } from '../../../src/main/program.ts';
import { recordingTerminal } from '../../../src/main/terminal/recording.ts';

/** What came out of YAML, to be looked into: a test that is wrong about its shape fails by itself. */
export type Loose = any; // oxlint-disable-line typescript/no-explicit-any

export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Loose;
}

/** What `airmesh render` writes. */
export async function renderedFor(
  mesh: string,
  resources: string,
  ...flags: readonly string[]
): Promise<{ text: string; errors: string; objects: AppliedObject[] }> {
  const { terminal, out, err } = recordingTerminal();
  await createProgram(terminal, () => undefined).parseAsync(['render', mesh, resources, ...flags], { from: 'user' });
  return { text: out(), errors: err(), objects: parseAllDocuments(out()).map((document) => document.toJS() as AppliedObject) };
}
