import { describe, expect, it } from 'vitest';
import { createLogger } from './index.ts';
import type { Logger } from './index.ts';

function recorded(format: 'json' | 'pretty', level: 'debug' | 'info' = 'info'): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (text: string) => void lines.push(text), flush: () => undefined };
  return { logger: createLogger({ level, format, colour: false, destination }), lines };
}

describe('createLogger', () => {
  it('writes an event as one line of JSON', () => {
    const { logger, lines } = recorded('json');
    logger.child({ component: 'envoy' }).warn('envoy.restarted', { exitCode: 139, amount: 5n });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      component: 'envoy',
      event: 'envoy.restarted',
      exitCode: 139,
      amount: '5',
    });
  });

  it('keeps to its level', () => {
    const { logger, lines } = recorded('json');
    logger.debug('chunk.passed');
    expect(lines).toEqual([]);
  });

  it.each(['json', 'pretty'] as const)('writes no key and no prompt (%s)', (format) => {
    const planted = 'PLANTED0123456789abcdef';
    const { logger, lines } = recorded(format);
    logger.child({ apiKey: planted }).error('provider.failed', {
      authorization: planted,
      'x-api-key': planted,
      systemPrompt: planted,
      messages: [{ content: planted }],
      request: { headers: { cookie: planted }, token: planted, nested: { clientSecret: planted } },
      bytes: Buffer.from(planted),
      error: new Error(`401 for Bearer ${planted}`, { cause: new Error(`Incorrect key sk-proj-${planted}`) }),
      note: `tried hs_${planted}`,
    });
    expect(lines.join('')).toContain('provider.failed');
    expect(lines.join('')).not.toContain(planted);
  });

  it('leaves what is no secret readable', () => {
    const { logger, lines } = recorded('json');
    const fields = {
      inputTokens: 5,
      token_type: 'input',
      keyRejections: 2,
      model: 'gpt-4.1',
      workload: 'default/task-runner',
      message: 'listener 127.0.0.1:4000 is taken',
    };
    logger.info('envoy.log', fields);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(fields);
  });

  it('bounds what a field can bring', () => {
    const { logger, lines } = recorded('json');
    const loop: Record<string, unknown> = {
      long: 'x'.repeat(1_000_000),
      many: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`n${index}`, index])),
    };
    loop['self'] = loop;
    logger.info('config.read', loop);
    expect(lines[0]?.length).toBeLessThan(50_000);
  });

  it('writes a line for people, without control characters of others', () => {
    const { logger, lines } = recorded('pretty');
    logger.info('snapshot.applied', { version: 3, note: 'two words', path: '/etc/\u001B[31mred' });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}snapshot\.applied {9}version=3 note="two words" path=\/etc\/�\[31mred\n$/);
  });

  it("puts an error's stack below the line", () => {
    const { logger, lines } = recorded('pretty');
    logger.error('process.failed', { error: new TypeError('broken') });
    expect(lines[0]).toMatch(/error="TypeError: broken"\n {4}TypeError: broken\n {8}at /);
  });
});
