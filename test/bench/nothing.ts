/** A processor that does nothing: the same transport, phases and number of messages, a constant answer to each. */
import { ExtProcServer } from '../../src/shell/extproc/index.ts';
import { BACKEND_HEADER } from '../../src/core/envoyconfig/index.ts';

const [socketPath = '', provider = ''] = process.argv.slice(2);
const OVERWRITE = 2;
const toProvider = {
  requestHeaders: {
    response: {
      headerMutation: { setHeaders: [{ header: { key: BACKEND_HEADER, rawValue: Buffer.from(provider) }, appendAction: OVERWRITE }] },
      clearRouteCache: true,
    },
  },
};

const server = new ExtProcServer({
  listen: { socketPath },
  maxMessageBytes: 64 * 1024 * 1024,
  onError: (error) => console.error(error),
  onStream: (stream) => ({
    onMessage: (message) => {
      if (message.requestBody) stream.send(toProvider, { requestBody: {} });
      else if (message.responseHeaders) stream.send({ responseHeaders: {} });
      else if (message.responseBody) stream.send({ responseBody: {} });
    },
    onEnd: () => undefined,
  }),
});
await server.listen();
process.send?.({ ready: true });
