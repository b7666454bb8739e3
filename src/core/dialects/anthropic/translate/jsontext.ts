import { encodeUtf8, parseJson } from '../../../json/index.ts';

/** A JSON text that goes into a body as it is, so that its numbers keep every digit. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `JSON.stringify` of plain values, with texts put in as they are. Members that are `undefined` are left out. */
export function stringify(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`).join(',')}}`;
}

/** Whether a model wrote the arguments of a tool as it should: an object. */
export function isJsonObject(text: string): boolean {
  const parsed = parseJson(encodeUtf8(text));
  return parsed.ok && parsed.value.kind(parsed.value.root) === 'object';
}

/** A tool's input from the text that a model wrote. What is no object goes as one that holds the text, for Anthropic takes nothing else. */
export function inputOf(argumentsJson: string): JsonText {
  if (argumentsJson.trim() === '') return new JsonText('{}');
  return new JsonText(isJsonObject(argumentsJson) ? argumentsJson : JSON.stringify({ arguments: argumentsJson }));
}
