import type { Translation } from '../../translation.ts';
import { errorStatus, parseError, writeError } from './errors.ts';
import { parseAnswer } from './parse-answer.ts';
import { parseRequest } from './parse-request.ts';
import { readStream } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';
import { writeStream } from './write-stream.ts';

/** Gemini's way to and from the neutral form. */
export const geminiTranslation: Translation = {
  parseRequest,
  writeRequest,
  parseAnswer,
  writeAnswer,
  streamContentType: (endpoint) => (endpoint.streamForm === 'sse' ? 'text/event-stream' : 'application/json'),
  readStream,
  writeStream,
  parseError,
  writeError,
  errorStatus,
};
