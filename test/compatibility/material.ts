/** What probes are made of. */

/** A picture of one pixel, as a `data:` URL. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const PIXEL = `data:image/png;base64,${PNG}`;
/** The beginning of a PDF; nobody here looks further. */
export const PDF_BYTES = 'JVBERi0xLjQK';
export const PDF = `data:application/pdf;base64,${PDF_BYTES}`;
export const MP3 = 'SUQzBAAAAAAA';

/** A schema that every provider can enforce. */
export const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false } as const;

export const DEFAULT = 'the same as leaving it out';
export const UNASKED = 'the model thinks only where it is asked to';
export const ENFORCED = 'a schema is enforced in any case';
export const NOTHING_STORED = 'nothing is stored in any case';
export const CACHE_HINT = 'a hint for the price of a repeated prompt, whose beginning is cached there without one; no answer depends on it';
export const NO_PLACE = "the caller's API has no place for it";
/** Citations come of searches and documents; both APIs may have a form for them, but not the same. */
export const NO_CITATIONS = 'not carried over: they point into sources and tools of the provider, in a form of its own';
export const IN_THE_BOOKS = "not carried over; what was billed is in Airmesh's books";
export const CALLS_UNASKED = 'text completions cannot ask for tools';
