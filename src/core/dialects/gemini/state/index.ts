/**
 * What Gemini keeps. Nothing of it is let through yet.
 *
 * Owns how these are named, listed and read. Must never know whose they are.
 */
import { err } from '../../../units/index.ts';
import type { StateLanguage } from '../../state.ts';
import { NOTHING_WATCHED } from '../../statewatch.ts';

export const state: StateLanguage = {
  absent: ({ id }) => `Requested entity was not found: ${id}.`,
  readCreation: () => err({ code: 'unsupported_state', param: undefined, message: 'Nothing is kept here.' }),
  watch: () => NOTHING_WATCHED,
  widenList: (_endpoint, query) => ({ query, limit: Infinity }),
  filterList: () => undefined,
  batchPath: (id) => `/batches/${id}`,
  readBatch: () => undefined,
  readResults: () => ({ push: () => undefined }),
};
