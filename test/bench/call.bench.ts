/**
 * What one call costs in the processor, without HTTP/2 and Envoy: decode, decide, journal, meter, settle, encode.
 * `node test/bench/call.bench.ts [json|stream] [passed|translated]`; the best of some rounds, as other work on the machine only adds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallPorts } from '../../src/core/call/index.ts';
import { WORKLOAD_METADATA } from '../../src/core/envoyconfig/index.ts';
import { limitsOf } from '../../src/core/call/index.ts';
import { loadPolicies } from '../../src/main/mesh/policies.ts';
import { Merging, ProviderHealth, Room } from '../../src/core/call/index.ts';
import { afterMs } from '../../src/main/mesh/clock.ts';
import { AnswerMemory } from '../../src/shell/answers/index.ts';
import { openBudgets } from '../../src/shell/budgets/index.ts';
import { decodeRequest, encodeRequest, encodeResponse } from '../../src/shell/extproc/codec.ts';
import type { ProcessingRequest, ProcessingResponse } from '../../src/shell/extproc/codec.ts';
import { Session, byListener } from '../../src/shell/extproc/index.ts';
import { createCallObserver, createMetrics, SILENT_LOGGER } from '../../src/shell/telemetry/index.ts';

const CALLS = 4000;
const ROUNDS = 8;
const WORKLOAD = 'default/default';
const kind = process.argv[2] ?? 'json';
/** Asked in another API's language than the provider's. */
const isTranslated = process.argv[3] === 'translated';
const PATH = isTranslated ? '/v1/messages' : '/v1/chat/completions';

const RESOURCES = `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: bench}
spec: {type: OpenAICompatible, baseUrl: "http://127.0.0.1:9/v1"}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{match: {models: [gpt-4.1]}, backends: [{provider: bench}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: day}
spec: {limit: {usd: "900000"}, window: {calendar: Day}}
`;

const header = (key: string, value: string): { readonly key: string; readonly rawValue: Uint8Array } => ({ key, rawValue: Buffer.from(value) });
const JSON_ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4.1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'A mesh is a set of proxies beside services. '.repeat(6), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 13,
    completion_tokens: 60,
    total_tokens: 73,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  },
});
const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-4.1', choices: [{ index: 0, delta, finish_reason: finish }], usage: null })}\n\n`;
const USAGE = `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-4.1', choices: [], usage: { prompt_tokens: 13, completion_tokens: 64, total_tokens: 77 } })}\n\ndata: [DONE]\n\n`;

function messages(): Buffer[] {
  const stream = kind === 'stream';
  const body = JSON.stringify({
    model: 'gpt-4.1',
    ...(stream ? { stream } : {}),
    ...(isTranslated ? { max_tokens: 1000 } : {}),
    messages: [{ role: 'user', content: 'Say something about meshes.' }],
  });
  const chunks = stream ? [...Array.from({ length: 64 }, (_, index) => chunk({ content: ` word${index}` })), chunk({}, 'stop') + USAGE] : [JSON_ANSWER];
  const parts: ProcessingRequest[] = [
    { requestHeaders: { headers: { headers: [header(':path', PATH), header(':method', 'POST'), header('content-type', 'application/json')] } } },
    { requestBody: { body: Buffer.from(body), endOfStream: true } },
    { responseHeaders: { headers: { headers: [header(':status', '200'), header('content-type', stream ? 'text/event-stream' : 'application/json')] } } },
    ...chunks.map((text, index) => ({ responseBody: { body: Buffer.from(text), endOfStream: index === chunks.length - 1 } })),
  ];
  return parts.map((part) => Buffer.from(encodeRequest(part)));
}

const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
try {
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, RESOURCES);
  const { compiled } = loadPolicies(
    { kind: 'files', paths: [file] },
    { workloads: [{ namespace: 'default', name: 'default' }], own: [], simulatedUrl: undefined, environment: {} },
  );
  const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
  const opened = await openBudgets({
    folder: join(folder, 'state'),
    clock,
    limits: limitsOf(compiled.snapshots.values()),
    events: { failed: (_what, error) => console.error(error), recovered: () => undefined },
  });
  let ids = 0;
  const ports: CallPorts = {
    snapshots: { current: (workload) => compiled.snapshots.get(workload) },
    keys: { get: () => 'hs_0123456789abcdef0123456789abcdef', rejected: () => undefined, accepted: () => undefined },
    budgets: opened.budgets,
    state: opened.objects,
    answers: new AnswerMemory(() => performance.now()),
    health: new ProviderHealth(
      () => performance.now(),
      () => undefined,
    ),
    merging: new Merging(() => performance.now(), afterMs),
    clock,
    observer: createCallObserver(createMetrics({ ready: () => true, accounts: () => [], providerType: () => 'OpenAICompatible' }, 'bench'), SILENT_LOGGER),
    random: Math.random,
    newId: () => `call-${ids++}`,
  };
  const room = new Room({ memoryBytes: 0, smallerBytes: 1e9, waiting: 0, waitMs: 0 }, afterMs);
  const [head, body, ...answer] = messages();
  const call = (): Promise<void> =>
    new Promise((resolve) => {
      let session: Session | undefined;
      let sent = false;
      session = new Session(
        {
          isOpen: true,
          metadata: (name) => (name === WORKLOAD_METADATA ? WORKLOAD : undefined),
          close: () => undefined,
          whenSent: (run) => run(),
          send: (...responses: readonly ProcessingResponse[]) => {
            for (const response of responses) encodeResponse(response);
            if (sent) return;
            sent = true;
            for (const message of answer) session?.onMessage(decodeRequest(message));
            session?.onEnd();
            resolve();
          },
        },
        { ports, room, identify: byListener, onError: (error) => console.error(error) },
      );
      if (head !== undefined) session.onMessage(decodeRequest(head));
      if (body !== undefined) session.onMessage(decodeRequest(body));
    });
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.threadCpuUsage();
    let left = CALLS;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (left-- > 0) await call();
      }),
    );
    const { user, system } = process.threadCpuUsage(before);
    rounds.push((user + system) / CALLS);
  }
  console.log(
    `${kind}${isTranslated ? ', translated' : ''}: ${Math.min(...rounds).toFixed(1)} µs of the main thread a call (rounds: ${rounds.map((round) => round.toFixed(0)).join(' ')})`,
  );
  await opened.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
