import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/core/catalog/index.ts';
import type { AnswerShape, Dialect, Endpoint, RefusalCode, RequestContentHeaders, RequestFacts, ResponseMeter } from '../../src/core/dialects/index.ts';

/** What the contract needs to know of a dialect: requests and answers as its official API has them. */
export interface DialectFixtures {
  readonly dialect: Dialect;
  /** One valid request for each endpoint that takes a body. */
  readonly requests: readonly RequestFixture[];
  readonly answers: readonly AnswerFixture[];
  /** The endpoint of another model, for dialects whose paths name the model. */
  readonly endpointFor?: (endpoint: Endpoint, model: string) => Endpoint;
  /** Where a local refusal keeps its code and its message. */
  readonly readRefusal: (body: unknown) => { readonly code: unknown; readonly message: unknown };
  readonly credentials: readonly string[];
}

export interface RequestFixture {
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
  readonly facts: Partial<RequestFacts>;
  /** Reads the model out of an edited body; `undefined` where the body does not hold it. */
  readonly modelOf: ((body: string) => unknown) | undefined;
}

export interface AnswerFixture {
  readonly name: string;
  readonly path: string;
  readonly kind: AnswerShape['kind'];
  readonly text: string;
  /** What goes on where usage is hidden. */
  readonly hidden: string;
  readonly usage: Usage | undefined;
}

/** Every code, so that a dialect without a form for one is found. */
const CODES: Readonly<Record<RefusalCode, true>> = {
  invalid_json: true,
  invalid_body: true,
  invalid_value: true,
  unsupported_content_type: true,
  unsupported_content_encoding: true,
  unsupported_state: true,
  not_translatable: true,
  operation_not_supported: true,
  object_not_found: true,
  request_too_large: true,
  empty_body: true,
  method_not_allowed: true,
  endpoint_not_supported: true,
  stateful_endpoint_refused: true,
  model_not_found: true,
  model_not_allowed: true,
  no_provider_available: true,
  provider_key_missing: true,
  price_unknown: true,
  cost_unbounded: true,
  budget_exhausted: true,
  budget_too_small_for_call: true,
  budget_wait_timeout: true,
  budget_unavailable: true,
  rate_limit_exceeded: true,
  too_many_waiting: true,
  too_many_large_requests: true,
  sidecar_overloaded: true,
  processor_unavailable: true,
  provider_unreachable: true,
  provider_untrusted: true,
  merged_call_failed: true,
  provider_timeout: true,
  headers_too_large: true,
  host_mismatch: true,
  unauthenticated: true,
  upgrade_refused: true,
  internal_error: true,
};

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** What every dialect promises, whatever its wire format. */
export function dialectContract(fixtures: DialectFixtures): void {
  const { dialect } = fixtures;

  const endpointOf = (path: string): Endpoint => {
    const found = dialect.match('POST', path);
    if (found.kind !== 'endpoint') throw new Error(`${path} is no endpoint`);
    return found.endpoint;
  };
  const headersOf = (request: RequestFixture): RequestContentHeaders => ({ contentType: request.contentType, contentEncoding: undefined });

  describe.each(fixtures.requests)(`${dialect.name}: a request to $path`, (request) => {
    const endpoint = endpointOf(request.path);
    const headers = headersOf(request);
    const body = bytesOf(request.body);

    it('is read', () => {
      const read = dialect.readRequest(endpoint, body, headers);
      expect(read).toMatchObject({ ok: true, value: request.facts });
    });

    it('takes another model, and reads as the same request but for that', () => {
      const edited = dialect.editRequest(endpoint, body, headers, { model: 'another-model', mayStore: true });
      if (request.modelOf !== undefined) expect(request.modelOf(textOf(edited))).toBe('another-model');
      const other = fixtures.endpointFor?.(endpoint, 'another-model') ?? endpoint;
      const [before, after] = [dialect.readRequest(endpoint, body, headers), dialect.readRequest(other, edited, headers)];
      if (!before.ok || !after.ok) throw new Error('not read');
      const apartFromSize = ({ inputTokenBound: _bound, inputTokenEstimate: _estimate, ...facts }: RequestFacts): object => facts;
      expect(apartFromSize(after.value)).toEqual({ ...apartFromSize(before.value), model: 'another-model' });
    });

    it('keeps to a cap that is written into it', () => {
      const edited = dialect.editRequest(endpoint, body, headers, { maxOutputTokens: 17 });
      const read = dialect.readRequest(endpoint, edited, headers);
      expect(read.ok && [17, undefined].includes(read.value.maxOutputTokens)).toBe(true);
    });

    it('gives facts or a fault for any damage to it, and never throws', () => {
      const change = fc.record({ at: fc.nat(), byte: fc.nat(255), width: fc.nat(3) });
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
          const damaged = [...body];
          for (const { at, byte, width } of changes) damaged.splice(at % (damaged.length + 1), width, byte);
          const bytes = Uint8Array.from(damaged);
          const read = dialect.readRequest(endpoint, bytes, headers);
          if (read.ok)
            expect(
              dialect.editRequest(endpoint, bytes, headers, { model: 'x', maxOutputTokens: 3, includeStreamUsage: true, systemPrompt: 'y' }),
            ).toBeInstanceOf(Uint8Array);
          else expect(read.error.message).toMatch(/\.$/);
        }),
        { numRuns: 500 },
      );
    });

    it('refuses a compressed, an empty and a foreign body', () => {
      const code = (bytes: Uint8Array, other: Partial<RequestContentHeaders>): unknown => {
        const read = dialect.readRequest(endpoint, bytes, { ...headers, ...other });
        return read.ok ? undefined : read.error.code;
      };
      expect(code(body, { contentEncoding: 'br' })).toBe('unsupported_content_encoding');
      expect(code(body, { contentType: 'application/x-www-form-urlencoded' })).toBe('unsupported_content_type');
      expect(code(new Uint8Array(0), {})).toBe('invalid_body');
    });
  });

  describe.each(fixtures.answers)(`${dialect.name}: $name`, (answer) => {
    const endpoint = endpointOf(answer.path);
    const shape = (hideStreamUsage: boolean): AnswerShape => ({ kind: answer.kind, status: 200, hideStreamUsage });

    interface Seen {
      readonly out: string;
      readonly said: readonly unknown[];
    }

    const run = (chunks: readonly Uint8Array[], hides: boolean): Seen => {
      const meter: ResponseMeter = dialect.meter(endpoint, shape(hides));
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      let out = '';
      for (const chunk of chunks) out += decoder.decode(meter.push(chunk, false), { stream: true });
      out += decoder.decode(meter.push(new Uint8Array(0), true));
      return { out, said: [meter.reading(), meter.end(), meter.servedModel(), meter.servedTier?.(), meter.outputTokensSoFar()] };
    };

    const cut = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
      const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
      return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
    };

    it('is read, and passed on', () => {
      const [shown, hidden] = [run([bytesOf(answer.text)], false), run([bytesOf(answer.text)], true)];
      expect(shown.said[0]).toMatchObject(answer.usage === undefined ? { kind: 'missing' } : { kind: 'reported', usage: answer.usage });
      expect(shown.said.slice(0, 2)).toEqual([shown.said[0], 'complete']);
      expect([shown.out, hidden.out]).toEqual([answer.text, answer.hidden]);
      expect(hidden.said).toEqual(shown.said);
    });

    it('is read and passed on the same at every cut in two', () => {
      const bytes = bytesOf(answer.text);
      const whole = run([bytes], true);
      for (let place = 0; place <= bytes.length; place++) expect(run(cut(bytes, [place]), true)).toEqual(whole);
    });

    it('is read and passed on the same at any cuts, damaged or not', () => {
      const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('"\n\r{}[]:,\\'))), width: fc.nat(2) });
      fc.assert(
        fc.property(fc.array(change, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 10 }), fc.boolean(), (changes, cuts, hides) => {
          const damaged = [...bytesOf(answer.text)];
          for (const { at, byte, width } of changes) damaged.splice(at % (damaged.length + 1), width, byte);
          const bytes = Uint8Array.from(damaged);
          const whole = run([bytes], hides);
          expect(run(cut(bytes, cuts), hides)).toEqual(whole);
          if (!hides) expect(whole.out).toBe(textOf(bytes));
        }),
        { numRuns: 600 },
      );
    });

    it('is not taken for whole when it stops half way', () => {
      const half = bytesOf(answer.text).subarray(0, Math.floor(answer.text.length / 2));
      if (answer.kind !== 'other') expect(run([half], true).said[1]).toBe('truncated');
    });
  });

  describe(`${dialect.name}: what is said here`, () => {
    it.each(Object.keys(CODES) as RefusalCode[])('has a form for %s', (code) => {
      const reply = dialect.refusal({ code, status: 429, message: 'Why “so”.', shouldRetry: false, retryAfterS: 3 }, 'call-1');
      expect(reply.headers).toContainEqual([dialect.requestIdHeader, 'call-1']);
      expect(reply.status).toBe(429);
      expect(fixtures.readRefusal(JSON.parse(textOf(reply.body)))).toEqual({ code, message: 'Why “so”.' });
      expect(reply.headers).toEqual(
        expect.arrayContaining([
          ['content-type', 'application/json'],
          ['retry-after', '3'],
          ['x-should-retry', 'false'],
        ]),
      );
      expect(reply.headers.every(([name]) => name === name.toLowerCase())).toBe(true);
    });

    it('lists models by their ids', () => {
      const models = [
        { id: 'one', ownedBy: 'a' },
        { id: 'two', ownedBy: 'b' },
      ];
      const list = textOf(dialect.modelsList(models).body);
      for (const { id } of models) expect(list).toContain(`"${id}"`);
      expect(textOf(dialect.modelItem({ id: 'one', ownedBy: 'a' }).body)).toContain('"one"');
    });

    it("removes every credential that a caller may have sent, and sets the provider's", () => {
      const { set, remove } = dialect.auth('the-key');
      expect(remove).toEqual(expect.arrayContaining([...fixtures.credentials]));
      expect(set.some(([, value]) => value.includes('the-key'))).toBe(true);
      expect([...set.map(([name]) => name), ...remove].every((name) => name === name.toLowerCase())).toBe(true);
    });

    it('matches any method and path without throwing', () => {
      fc.assert(
        fc.property(fc.string(), fc.webPath(), fc.string({ unit: 'binary' }), (method, path, junk) => {
          for (const tried of [path, junk, `/v1${path}`])
            expect(['endpoint', 'stateful', 'method_not_allowed', 'unknown']).toContain(dialect.match(method, tried).kind);
        }),
        { numRuns: 1000 },
      );
    });
  });
}
