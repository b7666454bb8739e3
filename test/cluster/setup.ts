import type { TestProject } from 'vitest/node';
import { attempt, kubectl } from './commands.ts';
import { ensureImages } from './images.ts';

const say = (message: string): void => void process.stderr.write(`cluster tests: ${message}\n`);

export default async function setup(_project: TestProject): Promise<void> {
  const needed = [
    ['kubectl', ['version', '--client']],
    ['helm', ['version']],
  ] as const;
  for (const [command, args] of needed) {
    const there = await attempt(command, args).catch(() => undefined);
    if (there?.code !== 0) throw new Error(`${command} is not on the path, or does not work`);
  }
  const nodes = await kubectl('get', 'nodes', '-o', 'name');
  say(`on ${nodes.trim().split('\n').length} nodes`);
  await ensureImages(process.env, say);
}
