import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../core/call/index.ts';
import type { SpendEntry, SpendReport } from '../shell/spending/index.ts';
import { BooksClient, entryText } from '../shell/stores/sqlite/index.ts';
import { records } from './commands/records.ts';
import { spend } from './commands/spend.ts';
import { createProgram } from './program.ts';
import { recordingTerminal } from './terminal/recording.ts';

const KEY = 'sk-planted0123456789abcdefghijklmnopqrstuvwxyz';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-program-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
  readonly error: unknown;
}

async function airmesh(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const { terminal, out, err } = recordingTerminal({ environment });
  let code: number | undefined;
  let error: unknown;
  await createProgram(terminal, (given) => (code = given))
    .parseAsync(args, { from: 'user' })
    .catch((thrown: unknown) => (error = thrown));
  return { code, out: out(), err: err(), error };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const provider = (baseUrl: string): string =>
  `apiVersion: airmesh.dev/v1alpha1\nkind: AIProvider\nmetadata: {name: relay}\nspec:\n  type: OpenAICompatible\n  baseUrl: ${baseUrl}\n  auth: {apiKey: {env: RELAY_KEY}}\n`;
const route =
  'apiVersion: airmesh.dev/v1alpha1\nkind: AIRoute\nmetadata: {name: chat}\nspec:\n  workloads: ["*"]\n  rules:\n  - match: {models: ["gpt-4.1"]}\n    backends: [{provider: relay}]\n';
const good = (): string => file('good.yaml', `${provider('http://relay.invalid/v1')}---\n${route}`);

describe('usage', () => {
  it.each([
    [['spned'], 'Did you mean spend?'],
    [['spend', '--jsno'], 'Did you mean --json?'],
    [['run', '--listen', '127.0.0.1'], 'is no address'],
    [['run', '--workload', 'a'], 'is no workload'],
    [['run', '--concurrency', '0'], 'is not a number from 1 to 999'],
    [['run', '--log-level', 'loud'], 'Allowed choices are'],
    [['spend', '--since', 'yesterday'], 'is no time'],
    [['explain', 'x'], '--model'],
    [['validate'], 'missing required argument'],
  ])('%j is told what is wrong', async (args, message) => {
    const { err, error } = await airmesh(args);
    expect(`${err}${String(error)}`).toContain(message);
    expect(error).toMatchObject({ name: 'CommanderError' });
  });

  it('version, for people and machines', async () => {
    expect((await airmesh(['version'])).out).toMatch(/^airmesh \d+\.\d+\.\d+ on Node v\d+/);
    expect(JSON.parse((await airmesh(['version', '--json'])).out)).toMatchObject({ node: process.version });
  });
});

describe('validate', () => {
  it('is content with what is in order', async () => {
    expect(await airmesh(['validate', good()])).toMatchObject({ code: 0, out: '2 resources are in order.\n' });
  });

  it('names file, line and field of what is not', async () => {
    const path = file('broken.yaml', route.replace('relay', 'rely'));
    const { code, out } = await airmesh(['validate', good().replace('good', 'broken')]);
    expect(code).toBe(1);
    expect(out).toContain(path);
    expect(out).toContain('backends[0].provider');
    const { out: machine } = await airmesh(['validate', path, '--json']);
    expect(JSON.parse(machine).findings).toHaveLength(1);
  });
});

describe('explain', () => {
  it('says which rule and provider', async () => {
    const { code, out } = await airmesh(['explain', good(), '--model', 'gpt-4', '--workload', 'checkout']);
    expect(code).toBe(0);
    expect(out).toContain('gpt-4 is another name of gpt-4.1');
    expect(out).toContain('default/relay');
  });

  it('ends with 1 where the call would be refused', async () => {
    const { code, out } = await airmesh(['explain', good(), '--model', 'no-such-model', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ outcome: 'unknown' });
  });
});

async function serving<T>(answers: Readonly<Record<string, unknown>>, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    const status = answer === undefined || (request.url === '/v1/models' && request.headers.authorization !== `Bearer ${KEY}`) ? 401 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(status === 200 ? answer : { error: { message: `bad key ${KEY}` } }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('check', () => {
  it('says of each provider whether it accepts its key, and never the key', async () => {
    await serving({ '/v1/models': { data: [{ id: 'gpt-4.1' }] } }, async (url) => {
      const path = file('relay.yaml', provider(`${url}/v1`));
      expect(await airmesh(['check', path], { RELAY_KEY: KEY })).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^default\/relay: key accepted in \d+ ms, 1 models\n$/),
      });
      const refused = await airmesh(['check', path], { RELAY_KEY: `${KEY}x` });
      expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('does not accept the key') });
      expect(refused.out).not.toContain(KEY);
    });
  });

  it('says that a key is missing, without asking', async () => {
    const { code, out } = await airmesh(['check', good(), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out).providers).toMatchObject([{ provider: 'default/relay', outcome: { code: 'key_unreadable' } }]);
  });
});

const entry = (name: string): SpendEntry => ({
  name,
  requests: 1200,
  inputTokens: 3400,
  cachedInputTokens: 10,
  outputTokens: 560,
  reasoningTokens: 0,
  totalTokens: 3960,
  costUsd: '0.01128',
  costCny: '0.082344',
  estimatedRequests: 2,
});
const report: SpendReport = {
  since: '1970-01-01T00:00:00.000Z',
  until: null,
  totals: entry('all'),
  byWorkload: [entry('default/\u001B[31mcheckout')],
  byModel: [entry('gpt-4.1')],
  byProvider: [entry('default/openai')],
  budgets: [
    {
      budget: 'default/daily',
      subject: '',
      unit: 'usd',
      mode: 'Strict',
      limit: '10',
      posted: '9.5',
      pending: '0.25',
      free: '0.25',
      windowStart: '2026-01-01T00:00:00.000Z',
      windowEnd: null,
    },
  ],
  lost: [{ lease: 7, processor: 'spiffe://mesh/p\u001B[31m7', budget: 'default/daily', subject: '', unit: 'usd', amount: '0.5' }],
};

describe('spend', () => {
  it('shows tables, budgets, and what the server warns of', async () => {
    await serving({ '/spend': report, '/readyz': { warnings: ['default/openai refused its key 3 times'] } }, async (url) => {
      const { code, out } = await airmesh(['spend', '--admin', url]);
      expect(code).toBe(0);
      expect(out).toMatch(
        /^by workload +requests +input +cached +output +reasoning +USD +CNY +estimated\ndefault\/checkout +1,200 +3,400 +10 +560 +0 +0\.0113 +0\.0823 +2\n/,
      );
      expect(out).toMatch(/default\/daily +all +█{19}▒ +9\.5000 +0\.2500 +0\.2500 +10\.0000 +no end/);
      expect(out).toContain('! default/openai refused its key 3 times');
      const machine = JSON.parse((await airmesh(['spend', '--admin', url, '--json'])).out);
      expect(machine).toEqual({ ...report, warnings: ['default/openai refused its key 3 times'] });
    });
  });

  it('asks for a time', async () => {
    await serving({ '/spend?since=2026-01-31T00%3A00%3A00.000Z': report }, async (url) => {
      expect((await airmesh(['spend', '--admin', url, '--since', '2026-01-31'])).code).toBe(0);
    });
  });

  it('shows what was lost with a disk apart, as one line', async () => {
    await serving({ '/spend': report }, async (url) => {
      expect((await airmesh(['spend', '--admin', url])).out).toMatch(
        /\nlost with its disk +lease +budget +for +charged\nspiffe:\/\/mesh\/p7 +7 +default\/daily +all +0\.5000\n/,
      );
    });
  });

  it('shows one table, in a period, for people, machines and spreadsheets', async () => {
    const answer = { since: '2026-01-31T00:00:00.000Z', until: '2026-02-28T00:00:00.000Z', by: 'budget', rows: [entry('default/daily'), entry('=default,2')] };
    const path = `/spend?since=${encodeURIComponent(answer.since)}&until=${encodeURIComponent(answer.until)}&by=budget`;
    await serving({ [path]: answer }, async (url) => {
      const ask = async (...more: string[]): Promise<string> =>
        (await airmesh(['spend', '--admin', url, '--by', 'budget', '--since', '2026-01-31', '--until', '2026-02-28', ...more])).out;
      expect(await ask()).toMatch(/^by budget +requests .*\ndefault\/daily +1,200 +/);
      expect(JSON.parse(await ask('--format', 'json'))).toEqual({ ...answer, warnings: [] });
      const figures = '1200,2,3400,10,560,0,0.01128,0.082344';
      expect(await ask('--format', 'csv')).toBe(
        `budget,requests,estimated_requests,input_tokens,cached_input_tokens,output_tokens,reasoning_tokens,cost_usd,cost_cny\ndefault/daily,${figures}\n"'=default,2",${figures}\n`,
      );
    });
  });

  it('is by workload in a spreadsheet where nothing is said', async () => {
    await serving({ '/spend?by=workload': { since: '', until: null, by: 'workload', rows: [] } }, async (url) => {
      expect((await airmesh(['spend', '--admin', url, '--format', 'csv'])).out).toMatch(/^workload,requests,[a-z_,]+\n$/);
    });
  });

  it('does not take another program for Airmesh', async () => {
    await serving({ '/spend': { hello: 'world' } }, async (url) => {
      expect((await airmesh(['spend', '--admin', url])).error).toMatchObject({ name: 'StartError', message: expect.stringContaining('not as Airmesh does') });
    });
  });

  it('says that nobody answers, and where it looked', async () => {
    const url = await serving({}, async (served) => served);
    expect((await airmesh(['spend', '--admin', url])).error).toMatchObject({ name: 'StartError', message: `No Airmesh answers at ${url}.` });
  });
});

const settled: CallRecord = {
  id: 'call-1',
  at: 0,
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/chat#0',
  provider: 'shop/openai',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'airmesh-catalog/1',
  heldNanoUsd: 9_000_000n,
  endedAt: 1,
  ending: 'finished',
  status: 200,
  servedModel: undefined,
  usage: { inputTokens: 10, outputTokens: 101 },
  estimated: false,
  costNanoUsd: 828_000n,
  chargedNanoUsd: 828_000n,
  posted: [],
  shrunkToTokens: undefined,
};

describe('spend without a server', () => {
  it('reads the books in the state folder', async () => {
    const state = mkdtempSync(join(folder, 'state-'));
    const books = await BooksClient.open(join(state, 'ledger.db'));
    await books.apply([entryText({ kind: 'settle', record: settled })], 1);
    await books.close();
    const { terminal, out } = recordingTerminal();
    const nobody = await serving({}, async (served) => served);
    expect(await spend({ state, watch: false, json: true }, terminal, new URL(nobody))).toBe(0);
    expect(JSON.parse(out())).toMatchObject({
      totals: { requests: 1, totalTokens: 111, costUsd: '0.000828', costCny: '0.0060444' },
      byWorkload: [{ name: 'shop/checkout' }],
      budgets: [],
    });
  });

  it('reads records page by page, in the order of their ending', async () => {
    const state = mkdtempSync(join(folder, 'state-'));
    const books = await BooksClient.open(join(state, 'ledger.db'));
    const many = Array.from({ length: 2_500 }, (_, index) => ({
      ...settled,
      id: `call-${String(index).padStart(4, '0')}`,
      endedAt: 1_000 + Math.floor(index / 7),
    }));
    await books.apply(
      many.map((record) => entryText({ kind: 'settle', record })),
      1,
    );
    await books.close();
    const nobody = new URL(await serving({}, async (served) => served));
    const [csv, lines] = [recordingTerminal(), recordingTerminal()];
    expect(await records({ state, format: 'csv' }, csv.terminal, nobody)).toBe(0);
    const rows = csv.out().trimEnd().split('\n');
    expect(rows.slice(0, 2)).toEqual([
      'id,started,ended,namespace,workload,rule,provider,model,served_model,operation,stream,ending,status,estimated,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,reasoning_tokens,cost_usd,charged_usd,price,accounts',
      'call-0000,1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,shop,checkout,shop/chat#0,shop/openai,gpt-4.1,,chat,false,finished,200,false,10,,,101,,0.000828,0.000828,airmesh-catalog/1,',
    ]);
    expect(rows.slice(1).map((row) => row.split(',', 1)[0])).toEqual(many.map(({ id }) => id));
    expect(await records({ state, format: 'jsonl', until: new Date(1_001) }, lines.terminal, nobody)).toBe(0);
    const objects = lines
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    expect(objects.map(({ id }) => id)).toEqual(many.slice(0, 7).map(({ id }) => id));
    expect(objects[0]).toMatchObject({ costNanoUsd: '828000', usage: { inputTokens: 10 } });
  });

  it('says that there are none', async () => {
    const nobody = await serving({}, async (served) => served);
    const state = join(folder, 'nothing-here');
    await expect(spend({ state, watch: false, json: false }, recordingTerminal().terminal, new URL(nobody))).rejects.toThrow(`there are no books in ${state}`);
  });

  it('leaves damaged books alone', async () => {
    const nobody = await serving({}, async (served) => served);
    const state = mkdtempSync(join(folder, 'damaged-'));
    writeFileSync(join(state, 'ledger.db'), 'this is no database '.repeat(100));
    await expect(spend({ state, watch: false, json: false }, recordingTerminal().terminal, new URL(nobody))).rejects.toMatchObject({
      name: 'StartError',
      hint: expect.stringContaining('Nothing was changed'),
    });
  });
});
