/** A request that differs from the plainest in one thing. */
export interface Probe {
  /** The field, or the form of content, as the API's users call it. */
  readonly subject: string;
  /** Members that take the place of those of the plainest request, or join them. */
  readonly change: Readonly<Record<string, unknown>>;
  /** Says nothing that is not so without it: nothing is lost where it has no effect. */
  readonly isDefault?: boolean;
}

/** What the users of one API ask for. */
export interface ProbedApi {
  readonly name: string;
  readonly path: string;
  readonly plain: Readonly<Record<string, unknown>>;
  readonly probes: readonly Probe[];
}

/** A PNG of one pixel, and a PDF and a sound that are none. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const PDF = 'JVBERi0xLjQK';
export const WAV = 'UklGRiQAAABXQVZF';

export const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
export const SCHEMA = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'], additionalProperties: false };
export const IMAGE_URL = 'https://example.com/a.png';
export const PDF_URL = 'https://example.com/a.pdf';
