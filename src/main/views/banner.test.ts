import { expect, it } from 'vitest';
import { painter } from '../terminal/terminal.ts';
import { banner } from './banner.ts';
import type { StartSummary } from './banner.ts';

const summary: StartSummary = {
  envoyVersion: '1.40.0',
  listen: { host: '0.0.0.0', port: 4000 },
  admin: { host: '127.0.0.1', port: 4001 },
  workloads: [{ name: 'checkout', host: '127.0.0.1', port: 4010 }],
  source: 'examples/quickstart',
  providers: [
    { name: 'default/simulated', url: 'http://127.0.0.1:5000/v1', simulated: true, problem: undefined },
    { name: 'default/openai', url: 'https://api.openai.com/v1', simulated: false, problem: 'is a placeholder' },
  ],
  budgets: ['default/demo: $5 ever (Strict)'],
  model: 'claude-sonnet-4.5',
};
const plain = painter(false);

it('says where to point a client, what is live, and what limits it', () => {
  const text = banner(summary, plain);
  expect(text).toContain('curl http://127.0.0.1:4000/v1/chat/completions');
  expect(text).toContain('"model":"claude-sonnet-4.5"');
  expect(text).toContain('ANTHROPIC_BASE_URL=http://127.0.0.1:4000 ');
  expect(text).toContain('as checkout     http://127.0.0.1:4010/v1');
  expect(text).toMatch(/default\/simulated .* simulated/);
  expect(text).toMatch(/default\/openai .* key is a placeholder/);
  expect(text).toContain('$5 ever (Strict)');
  expect(text).not.toContain('\u001B');
});

it('invites to the real thing only where all is simulated, and says when nothing limits', () => {
  expect(banner(summary, plain)).not.toContain('AIRMESH_BUDGET_USD');
  const simulated = banner({ ...summary, providers: summary.providers.slice(0, 1), budgets: [] }, plain);
  expect(simulated).toContain('OPENAI_API_KEY=sk-… AIRMESH_BUDGET_USD=5 npm start');
  expect(simulated).toContain('no budget: nothing limits what is spent');
});
