import { expect, it } from 'vitest';
import { readPod } from '../../core/control/index.ts';
import type { PodFacts } from '../../core/control/index.ts';
import type { ApiAnswer } from './apiserver.ts';
import { LivePods } from './livepods.ts';

const pod = (name: string, uid = `${name}-uid`): PodFacts => readPod({ metadata: { namespace: 'shop', name, uid } });
const found = (name: string, uid = `${name}-uid`): ApiAnswer => ({ status: 200, body: { metadata: { namespace: 'shop', name, uid } } });

function world(answers: Readonly<Record<string, ApiAnswer | undefined>> = {}) {
  const state = { watched: [] as PodFacts[], connected: new Set<string>(), gone: [] as string[], asked: [] as string[] };
  const living = new LivePods({
    api: {
      send: (_method, path) => {
        const name = path.split('/').at(-1) ?? '';
        state.asked.push(name);
        const answer = answers[name];
        return answer === undefined ? Promise.reject(new Error('nobody answers')) : Promise.resolve(answer);
      },
    },
    watched: () => state.watched,
    connected: () => state.connected,
    onGone: ({ name }) => void state.gone.push(name),
  });
  return { state, living };
}

it('a pod that is watched is told of once when it goes, and not when it changes', () => {
  const { state, living } = world();
  state.watched = [pod('a'), pod('b')];
  living.tend();
  state.watched = [{ ...pod('a'), phase: 'ended' }];
  living.tend();
  living.tend();
  expect(state.gone).toEqual(['b']);
});

it('one that takes the name of another is not it', () => {
  const { state, living } = world();
  state.watched = [pod('a', 'first')];
  living.tend();
  state.watched = [pod('a', 'second')];
  living.tend();
  expect(state.gone).toEqual(['a']);
});

it('one that was met is not gone when it comes to be watched', () => {
  const { state, living } = world();
  expect([living.meet(pod('a')), living.meet(pod('a'))]).toEqual([true, false]);
  living.tend();
  state.watched = [pod('a')];
  living.tend();
  expect(state.gone).toEqual([]);
  expect(living.all()).toHaveLength(1);
});

it.each<[what: string, answer: ApiAnswer | undefined, gone: readonly string[]]>([
  ['is gone', { status: 404, body: undefined }, ['a']],
  ['was replaced by another of its name', found('a', 'other'), ['a']],
  ['is there', found('a'), []],
  ['cannot be asked for', undefined, []],
  ['may not be read', { status: 403, body: undefined }, []],
])('of one that nobody watches the API server is asked: it %s', async (_what, answer, gone) => {
  const { state, living } = world({ a: answer });
  living.meet(pod('a'));
  living.tend();
  expect(await living.look()).toBe(gone.length > 0);
  living.tend();
  expect(state.gone).toEqual(gone);
});

it('those that nobody watches are kept in great number only while they have a stream', () => {
  const { state, living } = world();
  for (let index = 0; index < 150; index++) living.meet(pod(`p${index}`));
  state.connected = new Set(Array.from({ length: 120 }, (_, index) => `p${index}-uid`));
  living.tend();
  expect(living.all()).toHaveLength(120);
});
