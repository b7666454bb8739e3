import type { Endpoint } from '../../types.ts';
import type { NeutralEmbedding } from '../../neutral.ts';
import { methodOf } from '../endpoints.ts';
import type { ObjectReader } from './reading.ts';

/** What one request for an embedding asks. */
interface Single {
  readonly text: string;
  readonly task: string | undefined;
  readonly title: string | undefined;
  readonly dimensions: number | undefined;
}

/** Reads one request or a list of them, which must ask for the same but for their texts. Source: Gemini API reference, "Embeddings". */
export function readEmbedding(endpoint: Endpoint, model: string, body: ObjectReader): NeutralEmbedding {
  const single = methodOf(endpoint.path) === 'embedContent';
  const requests = single ? [body] : body.objects('requests');
  if (!single) body.dropRest();
  const read = requests.map(readSingle);
  const [first] = read;
  const odd = read.findIndex((one) => one.task !== first?.task || one.title !== first?.title || one.dimensions !== first?.dimensions);
  if (odd !== -1) {
    body.log.losses.refused(
      `requests[${odd}]`,
      `requests[${odd}] differs in taskType, title or outputDimensionality from the first, which other providers' lists cannot. Send it by itself.`,
    );
  }
  return {
    kind: 'embedding',
    model,
    inputs: read.map(({ text }) => text),
    dimensions: first?.dimensions,
    encoding: 'float',
    task: first?.task,
    title: first?.title,
    user: undefined,
    single,
  };
}

function readSingle(request: ObjectReader): Single {
  const nested = request.object('embedContentConfig');
  const texts = request
    .object('content')
    ?.objects('parts')
    .map((part) => {
      const text = part.string('text');
      if (text === undefined) part.log.losses.refused(part.path, `${part.path} is no text. Other providers embed only text.`);
      return text ?? '';
    });
  const read = {
    // The parts of a content get one embedding together.
    text: (texts ?? []).join('\n'),
    task: request.string('taskType') ?? nested?.string('taskType'),
    title: request.string('title') ?? nested?.string('title'),
    dimensions: request.integer('outputDimensionality') ?? nested?.integer('outputDimensionality'),
  };
  request.ignore(['model']);
  nested?.dropRest();
  request.dropRest();
  return read;
}
