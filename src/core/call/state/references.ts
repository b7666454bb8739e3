import type { Dialect, Refusal, StateReference } from '../../dialects/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import type { KeptObject } from '../kept.ts';
import type { StateBook } from '../ports.ts';
import { refusal } from '../refusals.ts';

/** What a request refers to, found. */
export interface Referred {
  /** Where all of it is; `undefined`: nothing is referred to. */
  readonly provider: string | undefined;
  /** What it adds to the input, at most. */
  readonly tokens: number;
  /** What of it has no bound. */
  readonly unbounded: readonly string[];
  /** An item that its workload does not own. Relays, which keep none, may take it for what it says by itself. */
  readonly foreignItem: StateReference | undefined;
}

export const NOTHING_REFERRED: Referred = { provider: undefined, tokens: 0, unbounded: [], foreignItem: undefined };

/** Finds what a request refers to among what its workload owns. What others own is answered as what nobody has. */
export async function findReferred(
  references: readonly StateReference[],
  workload: string,
  dialect: Dialect,
  state: StateBook,
): Promise<Result<Referred, Refusal>> {
  let referred = NOTHING_REFERRED;
  for (const reference of references) {
    const object = await state.find(workload, reference.kind, reference.id);
    if (object === undefined && reference.kind === 'item') {
      referred = { ...referred, foreignItem: referred.foreignItem ?? reference };
      continue;
    }
    if (object === undefined) return err(absent(reference, dialect));
    if (referred.provider !== undefined && referred.provider !== object.provider) {
      return err(
        refusal(
          'unsupported_state',
          `${reference.param} refers to what is kept at ${object.provider}, and another part of the request to what is kept at ${referred.provider}.`,
          reference.param,
        ),
      );
    }
    referred = withObject(referred, reference, object);
  }
  return ok(referred);
}

/** What brings tokens of its own: an earlier response all its conversation. A file is counted where it is mentioned. */
const BRINGS: Readonly<Partial<Record<StateReference['kind'], string>>> = {
  response: 'an earlier response',
  item: 'an earlier item',
  cached_content: 'a cached content',
};

function withObject({ tokens, unbounded, foreignItem }: Referred, { kind }: StateReference, object: KeptObject): Referred {
  const { provider } = object;
  const what = BRINGS[kind];
  if (what === undefined) return { provider, tokens, unbounded, foreignItem };
  return object.tokens === undefined
    ? { provider, tokens, unbounded: [...unbounded, `${what} of unknown length`], foreignItem }
    : { provider, tokens: tokens + object.tokens, unbounded, foreignItem };
}

/** The dialect's own word for what does not exist. */
export function absent(reference: Pick<StateReference, 'kind' | 'id'> & { readonly param?: string }, dialect: Dialect): Refusal {
  return refusal('object_not_found', dialect.state.absent(reference), reference.param);
}
