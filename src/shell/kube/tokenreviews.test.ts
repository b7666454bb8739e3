import { beforeEach, describe, expect, it } from 'vitest';
import { readPod } from '../../core/control/index.ts';
import type { PodFacts, PodObject } from '../../core/control/index.ts';
import { ApiUnreachable } from './apiserver.ts';
import type { ApiAnswer } from './apiserver.ts';
import { TokenReviews } from './tokenreviews.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 28);
/** The API server's and the sidecar's own time is the truth; the controller's wall clock may be off. */
let [passedMs, skewMs] = [0, 0];
const clock = { epochMs: () => START + passedMs + skewMs, monotonicMs: () => 1_000 + passedMs };

const object: PodObject = { metadata: { namespace: 'shop', name: 'checkout-0', uid: 'u1' }, spec: {} };
const pod = readPod(object);
const tokenOf = (endsMs: number): string => `e30.${Buffer.from(JSON.stringify({ exp: (START + endsMs) / 1_000 })).toString('base64url')}.${'s'.repeat(8)}`;

const good = (): ApiAnswer => ({
  status: 201,
  body: {
    status: {
      authenticated: true,
      audiences: ['airmesh'],
      user: {
        username: 'system:serviceaccount:shop:default',
        extra: { 'authentication.kubernetes.io/pod-name': ['checkout-0'], 'authentication.kubernetes.io/pod-uid': ['u1'] },
      },
    },
  },
});

/** What the API server answers to a review and to a look for the pod; `undefined`: nothing. */
let says: { review: ApiAnswer | undefined; pod: ApiAnswer | undefined };
let known: PodFacts | undefined;
let asked: string[];
let [running, most] = [0, 0];
let reviews: TokenReviews;

beforeEach(() => {
  [passedMs, skewMs] = [0, 0];
  says = { review: good(), pod: { status: 200, body: object } };
  known = pod;
  asked = [];
  [running, most] = [0, 0];
  reviews = new TokenReviews({
    api: {
      send: async (method) => {
        asked.push(method);
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        const answer = method === 'POST' ? says.review : says.pod;
        if (answer === undefined) throw new ApiUnreachable('nobody answers');
        return answer;
      },
    },
    pod: (uid) => (uid === known?.uid ? known : undefined),
    onPod: () => undefined,
    clock,
  });
});

const gone = (): void => void (says = { review: undefined, pod: undefined });
const token = tokenOf(60 * MINUTE);
const outcome = (shown = token): Promise<string> =>
  reviews.review(shown).then(
    (result) => (result.ok ? 'taken' : result.error),
    (error: Error) => `nobody knows: ${error.message}`,
  );

describe('while the API server is out of reach for ten minutes', () => {
  it('who was known before comes in, at any time; who was not must wait, and comes in afterwards', async () => {
    expect(await outcome()).toBe('taken');
    gone();
    for (let minute = 1; minute <= 10; minute++) {
      passedMs = minute * MINUTE;
      expect(await outcome()).toBe('taken');
      expect(await outcome(tokenOf(70 * MINUTE))).toMatch(/^nobody knows/);
    }
    says = { review: good(), pod: { status: 200, body: object } };
    expect(await outcome(tokenOf(70 * MINUTE))).toBe('taken');
  });

  it('a word that is older than fifteen minutes is none', async () => {
    expect(await outcome()).toBe('taken');
    gone();
    passedMs = 15 * MINUTE - 1;
    expect(await outcome()).toBe('taken');
    passedMs = 15 * MINUTE;
    expect(await outcome()).toMatch(/^nobody knows/);
  });

  it('a token ends when it ends', async () => {
    const short = tokenOf(8 * MINUTE);
    expect(await outcome(short)).toBe('taken');
    gone();
    passedMs = 8 * MINUTE;
    expect(await outcome(short)).toBe('the token has ended');
  });

  it('a token of a pod that went before counts no longer', async () => {
    expect(await outcome()).toBe('taken');
    known = undefined;
    gone();
    passedMs = MINUTE;
    expect(await outcome()).toMatch(/^nobody knows/);
  });

  it('what the API server refused is refused', async () => {
    says.review = { status: 201, body: { status: { authenticated: false } } };
    expect(await outcome()).toMatch(/does not take the token/);
    gone();
    passedMs = MINUTE;
    expect(await outcome()).toMatch(/^nobody knows/);
  });

  it('an API server that is there and says no is believed at once', async () => {
    expect(await outcome()).toBe('taken');
    passedMs = 11_000;
    says.review = { status: 201, body: { status: { authenticated: false } } };
    expect(await outcome()).toMatch(/does not take the token/);
    gone();
    expect(await outcome()).toMatch(/does not take the token/);
  });
});

describe('a wall clock', () => {
  it('that is set back makes no review younger than it is', async () => {
    expect(await outcome()).toBe('taken');
    skewMs = -30 * MINUTE;
    passedMs = 10_000;
    expect(await outcome()).toBe('taken');
    expect(asked.filter((method) => method === 'POST')).toHaveLength(2);
  });

  // The kubelet replaces a token of an hour when twelve minutes of it are left.
  it.each([-12, -5, 5, 11])('that is off by %i minutes takes a token as kubelets keep it', async (minutes) => {
    skewMs = minutes * MINUTE;
    expect(await outcome(tokenOf(12 * MINUTE))).toBe('taken');
  });
});

it('a thousand that come back in the same second ask once each, and no more than 32 at once', async () => {
  const tokens = Array.from({ length: 1_000 }, (_, index) => tokenOf(60 * MINUTE + index * 1_000));
  expect(new Set(await Promise.all([...tokens, ...tokens].map((each) => outcome(each))))).toEqual(new Set(['taken']));
  expect(asked).toHaveLength(1_000);
  expect(most).toBe(32);
});
