import { randomBytes } from 'node:crypto';
import type { Change, Observed } from '../../core/control/index.ts';
import { API_VERSION } from '../../core/policy/index.ts';
import type { EpochMs, MonotonicMs } from '../../core/units/index.ts';
import { messageOf, refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { paths } from './paths.ts';

/** As many in a minute; those beyond are not told, as statuses say the same. */
const MAX_IN_A_MINUTE = 60;
/** Of the name, which is bounded, and needs a place for what tells events apart. */
const MAX_PREFIX = 200;
const MINUTE_MS: MonotonicMs = 60_000;

export interface EventWriterParts {
  readonly api: Pick<ApiServer, 'send'>;
  /** Of this process. */
  readonly identity: string;
  readonly clock: { epochMs(): EpochMs; monotonicMs(): MonotonicMs };
  readonly onFault: (message: string) => void;
}

/** What comes about, where `kubectl describe` and `kubectl events` show it (events.k8s.io/v1). One that is lost is no loss. */
export class EventWriter {
  readonly #parts: EventWriterParts;
  #told: MonotonicMs[] = [];

  constructor(parts: EventWriterParts) {
    this.#parts = parts;
  }

  tell(regarding: Observed, { type, reason, note }: Change): void {
    const { api, identity, clock, onFault } = this.#parts;
    const now = clock.monotonicMs();
    this.#told = this.#told.filter((at) => now - at < MINUTE_MS);
    if (this.#told.length >= MAX_IN_A_MINUTE) return;
    this.#told.push(now);
    const { kind, namespace, name, uid, resourceVersion } = regarding;
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, MAX_PREFIX).replace(/[^a-z0-9]+$/, '')}.${randomBytes(8).toString('hex')}`, namespace },
      eventTime: new Date(clock.epochMs()).toISOString().replace(/Z$/, '000Z'),
      type,
      reason,
      note,
      action: 'Reconcile',
      reportingController: 'airmesh.dev/controller',
      reportingInstance: identity.slice(0, 128),
      regarding: { apiVersion: API_VERSION, kind, namespace, name, uid, resourceVersion },
    };
    api.send('POST', paths.events(namespace), { body: event }).then(
      (answer) => answer.status < 300 || onFault(refusalOf(answer)),
      (error: unknown) => onFault(messageOf(error)),
    );
  }
}
