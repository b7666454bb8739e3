/** Certificates on a clock that is set, as they are seen by clocks that are off, over a year; and while nobody keeps them. */
import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, SetClock, certificatesOf, openAuthority } from './certs.test-support.ts';
import type { ServerIdentity } from './identity.ts';
import { issuedIdentity } from './issued.ts';
import { MemoryAuthorityStore } from './memory-store.ts';
import { StoreUnreachable } from './store.ts';
import type { AuthorityStore } from './store.ts';
import { AUTHORITIES } from './terms.ts';

const MINUTE_MS = 60_000;
/** As controllers have it. */
const LIFETIME_MS = 7 * DAY_MS;

/** Read once each: there are few, and many hours. */
const validities = new Map<string, { readonly from: number; readonly to: number }>();

function holds(pem: string, at: number): boolean {
  let validity = validities.get(pem);
  if (validity === undefined) {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    validity = { from: validFromDate.getTime(), to: validToDate.getTime() };
    validities.set(pem, validity);
  }
  return validity.from <= at && at < validity.to;
}

/** Whether who verifies at that time believes it: the leaf, and a root that is to sign it. */
const isBelieved = ({ leaf, roots }: ServerIdentity, at: number): boolean =>
  certificatesOf(leaf.certificate).every((pem) => holds(pem, at)) && certificatesOf(roots).some((pem) => holds(pem, at));

/** One that cannot be reached when it is said so. */
function unsteady(isAway: () => boolean): AuthorityStore {
  const store = new MemoryAuthorityStore();
  const check = (): void => {
    if (isAway()) throw new StoreUnreachable('it did not answer');
  };
  return {
    place: store.place,
    read: async () => {
      check();
      return store.read();
    },
    replace: async (expected, text) => {
      check();
      return store.replace(expected, text);
    },
  };
}

async function overAYear(skewMs: number, isAway: (at: number) => boolean = () => false): Promise<readonly number[]> {
  const clock = new SetClock();
  const authority = await openAuthority(
    clock,
    AUTHORITIES.controlPlane('mesh'),
    unsteady(() => isAway(clock.now)),
  );
  const source = issuedIdentity({ authority, wishes: { dns: ['airmesh.mesh.svc'], lifetimeMs: LIFETIME_MS }, now: clock.read, chance: () => 0 });
  const disbelieved: number[] = [];
  let shown: ServerIdentity | undefined;
  for (const end = clock.now + 400 * DAY_MS; clock.now < end; clock.now += HOUR_MS) {
    if (shown === undefined || clock.now >= source.dueAt()) {
      const tended = await source.tend();
      if (tended.ok) shown = tended.value;
    }
    if (shown === undefined || !isBelieved(shown, clock.now + skewMs)) disbelieved.push(clock.now);
  }
  return disbelieved;
}

it.each<[what: string, skewMs: number]>([
  ['five minutes behind', -5 * MINUTE_MS],
  ['exact', 0],
  ['five minutes ahead', 5 * MINUTE_MS],
  ['two days ahead', 2 * DAY_MS],
])('are believed by a clock that is %s, at every hour', async (_what, skewMs) => {
  expect(await overAYear(skewMs)).toEqual([]);
});

it('are not believed by one that is ten minutes behind, right after they were made', async () => {
  expect((await overAYear(-10 * MINUTE_MS)).length).toBeGreaterThan(0);
});

it('are there all the while, though their keeper is away in every other hour', async () => {
  const { now: begun } = new SetClock();
  const isAway = (at: number): boolean => Math.floor((at - begun) / HOUR_MS) % 2 === 1;
  expect(await overAYear(0, isAway)).toEqual([]);
});
