import { parseJson } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import { bodyForm } from '../../content.ts';
import { FaultLog, Fields } from '../../fields.ts';
import { MAX_MODEL_BYTES } from '../../limits.ts';
import { MAX_BATCH_REQUESTS } from '../../state.ts';
import type { BatchRequest, Creation } from '../../state.ts';
import type { Endpoint, RequestContentHeaders, RequestFault } from '../../types.ts';
import { bareModel, endpointOf } from '../endpoints.ts';
import { ProtoFields } from '../protojson.ts';

const JSON_ONLY: ReadonlySet<'json'> = new Set(['json']);

/** What a batch may say of itself; what it may be made of besides is a file, which is not let through. */
const BATCH_NAMES: ReadonlySet<string> = new Set(['displayName', 'inputConfig', 'model', 'name', 'priority']);
const ITEM_NAMES: ReadonlySet<string> = new Set(['metadata', 'request']);

/** Reads what creates a batch or a cached content. Sources: Gemini API reference, "GenerateContentBatch", "CachedContent"; `batches` and `caches` of `@google/genai`. */
export function readCreation(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<Creation, RequestFault> {
  const form = bodyForm(headers, JSON_ONLY);
  if (!form.ok) return form;
  const parsed = parseJson(body);
  if (!parsed.ok) return err({ code: 'invalid_json', param: undefined, message: `The body is not valid JSON. ${parsed.error.message}` });
  const document = parsed.value;
  if (document.kind(document.root) !== 'object') return err({ code: 'invalid_body', param: undefined, message: 'The body must be a JSON object.' });
  const faults = new FaultLog();
  const fields = new ProtoFields(new Fields(document, document.root, '', faults));
  const creation = endpoint.state?.kind === 'batch' ? readBatch(endpoint.model ?? '', fields) : readCached(fields, body.length);
  return faults.first === undefined ? ok(creation) : err(faults.first);
}

function readBatch(model: string, body: ProtoFields): Creation {
  const { faults } = body.fields;
  const batch = body.object('batch');
  const requests: BatchRequest[] = [];
  refuseOthers(body, new Set(['batch']));
  if (batch !== undefined) refuseOthers(batch, BATCH_NAMES);
  const named = batch?.string('model', MAX_MODEL_BYTES);
  if (named !== undefined && bareModel(named) !== model)
    faults.add('invalid_value', 'batch.model', 'batch.model names another model than the path. Name the same one, or leave it out.');
  const config = batch?.object('inputConfig');
  if (config?.node('fileName') !== undefined)
    faults.add('unsupported_state', config.at('fileName'), `${config.at('fileName')} names a file that the provider keeps. Send the requests themselves.`);
  if (config !== undefined) refuseOthers(config, new Set(['requests']));
  const endpoint = endpointOf(model, 'generateContent', 'json_array');
  for (const item of config?.object('requests')?.objects('requests') ?? []) {
    refuseOthers(item, ITEM_NAMES);
    const request = item.object('request') === undefined ? undefined : item.node('request');
    if (request === undefined) faults.add('invalid_value', item.at('request'), `${item.at('request')} is missing. Send what is to be generated.`);
    else requests.push({ endpoint, start: body.fields.document.start(request), end: body.fields.document.end(request), name: item.fields.path });
    if (requests.length > MAX_BATCH_REQUESTS) {
      faults.add('invalid_value', 'batch', `There are more than ${MAX_BATCH_REQUESTS} requests.`);
      break;
    }
  }
  if (requests.length === 0) faults.add('invalid_value', 'batch', 'batch must have requests in inputConfig.requests.requests.');
  return { kind: 'requests', requests, startsNow: true, endpointPath: endpoint.path };
}

/** What could make it a batch of other requests than those that are read. */
function refuseOthers(holder: ProtoFields, known: ReadonlySet<string>): void {
  for (const name of holder.names()) {
    if (!known.has(name))
      holder.fields.faults.add(
        'invalid_value',
        holder.fields.path === '' ? undefined : holder.fields.path,
        `${holder.fields.path === '' ? 'The body' : holder.fields.path} may have ${[...known].join(', ')}, and has another field.`,
      );
  }
}

function readCached(body: ProtoFields, length: number): Creation {
  const model = body.string('model', MAX_MODEL_BYTES);
  if (model === undefined) body.fields.faults.add('invalid_value', 'model', 'model is missing. Name the model that is to use the content.');
  return {
    kind: 'input',
    request: { endpoint: endpointOf(bareModel(model ?? ''), 'generateContent', 'json_array'), start: 0, end: length, name: 'the content' },
  };
}
