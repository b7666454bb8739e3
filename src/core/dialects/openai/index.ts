/**
 * OpenAI: the API of api.openai.com and of what is compatible with it.
 *
 * Owns its paths, bodies, streams, usage and errors. Must never know which provider is behind it, or what a call may cost.
 */
import type { Dialect } from '../types.ts';
import { auth } from './auth.ts';
import { editRequest, GOVERNED_FIELDS } from './edit.ts';
import { embeddings } from './embedding.ts';
import { ender } from './ending.ts';
import { match } from './endpoints.ts';
import { modelItem, modelsList, refusal } from './error.ts';
import { readRequest } from './request.ts';
import { meter } from './response.ts';
import { state } from './state/index.ts';

export const openai: Dialect = {
  name: 'openai',
  requestIdHeader: 'x-request-id',
  governedFields: GOVERNED_FIELDS,
  match,
  readRequest,
  editRequest,
  meter,
  ender,
  refusal,
  modelsList,
  modelItem,
  auth,
  state,
  embeddings,
};
