import OpenAI from 'openai';

/** An official client whose every call is answered with these bytes, cut where `cuts` says. */
export function clientAnswering(body: Uint8Array, contentType: string, cuts: readonly number[] = [], status = 200): OpenAI {
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)).toSorted((one, other) => one - other), body.length];
  const chunks = places.slice(1).map((end, index) => body.slice(places[index], end));
  const stream = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  return new OpenAI({
    apiKey: 'test',
    baseURL: 'http://airmesh.test/v1',
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(stream(), { status, headers: { 'content-type': contentType } })),
  });
}
