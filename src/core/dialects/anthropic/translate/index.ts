/**
 * Anthropic's Messages API to and from the neutral form.
 *
 * Owns what can be said in it and what is lost. Must never know the dialect on the other side.
 */
import type { Translation } from '../../translation.ts';
import { parseAnswer } from './parse-answer.ts';
import { parseError } from './parse-error.ts';
import { parseRequest } from './parse-request.ts';
import { readStream } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { errorStatus, writeError } from './write-error.ts';
import { writeRequest } from './write-request.ts';
import { writeStream } from './write-stream.ts';

export { DEFAULT_MAX_TOKENS } from './write-request.ts';

export const anthropicTranslation: Translation = {
  parseRequest,
  writeRequest,
  parseAnswer,
  writeAnswer,
  streamContentType: () => 'text/event-stream',
  readStream,
  writeStream,
  parseError,
  writeError,
  errorStatus,
};
