import type { Failure } from '../../api.ts';
import type { KeptThings } from '../../state/index.ts';
import { errorBody } from '../errors.ts';
import { responsesRequest } from './schema.ts';
import type { ResponsesRequest } from './schema.ts';

type Items = Exclude<ResponsesRequest['input'], string>;

/** A request with the items in it that it names by their ids; or which of them is not there, whoever once had it. */
export function withItems<Request extends Pick<ResponsesRequest, 'input'>>(request: Request, kept: KeptThings): Request | Failure {
  if (typeof request.input === 'string') return request;
  const input: Items = [];
  for (const item of request.input) {
    const id = idOf(item);
    const found = id === undefined ? item : kept.items.get(id);
    if (found === undefined)
      return {
        status: 404,
        body: errorBody(
          `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
          'invalid_request_error',
          null,
          'input',
        ),
      };
    input.push(...asInput(found));
  }
  return { ...request, input };
}

/** Of what is told by its id alone: a reference, or a thought without its seal. */
function idOf(item: Items[number]): string | undefined {
  if (!('type' in item) || item.type == null) return 'role' in item ? undefined : item.id;
  if (item.type === 'item_reference') return item.id;
  return item.type === 'reasoning' && item.encrypted_content == null ? item.id : undefined;
}

/** An output as input; a thought that is kept says nothing that counts here. */
function asInput(item: unknown): Items {
  const read = responsesRequest.shape.input.safeParse([item]);
  return read.success && typeof read.data !== 'string' ? read.data : [];
}
