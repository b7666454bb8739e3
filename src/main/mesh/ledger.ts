import { setTimeout as delay } from 'node:timers/promises';
import type { LeasedFrom, Outbox } from '../../shell/budgets/index.ts';
import { LedgerLink, RecordLink } from '../../shell/ledger/index.ts';
import type { Traffic } from '../../shell/ledger/index.ts';
import { CertificateFiles } from '../../shell/wire/index.ts';
import type { CertificatePaths, TokenAccess } from '../../shell/wire/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { StartError } from '../start-error.ts';
import { systemClock } from './clock.ts';

/** At an orderly end, how long the last records and what is given back may take. */
const LEAVE_WITHIN_MS = 5_000;
const LEAVE_STEP_MS = 50;
/** Records are told so long after the first of them ended, so that a batch holds many. */
const GATHER_MS = 1_000;
const NO_TRAFFIC: Traffic = { sent: 0, received: 0 };

export interface LedgerOptions {
  /** `host:port` or `unix:/path` of every controller; a name may stand for several. */
  readonly addresses: readonly string[];
  /** Absent, as `access` is: in plain text, on a socket file. */
  readonly certificates?: CertificatePaths;
  /** By a token, in the place of certificates. */
  readonly access?: TokenAccess;
}

/** A ledger service, as a processor uses it. */
export interface LedgerAccess {
  readonly leasedFrom: LeasedFrom;
  /** Hands records over as they end. What it returns hands over the last of them, and ends. */
  deliver(outbox: Outbox): () => Promise<void>;
  /** Why it is not connected; `undefined` while it is. */
  problem(): string | undefined;
  /** Of slices (`hold`), and of batches of records (`record`). */
  traffic(): Readonly<Record<'hold' | 'record', Traffic>>;
  close(): void;
}

/** Throws a StartError where the certificates cannot be used. Connects when budgets are opened. */
export function accessLedger({ addresses, certificates: paths, access }: LedgerOptions, logger: Logger): LedgerAccess {
  const opened = paths === undefined ? undefined : CertificateFiles.open(paths, (message) => logger.error('ledger.certificates', { message }));
  if (opened?.ok === false) throw new StartError(`The certificate for the ledger service cannot be used: ${opened.error}.`, 'Mend the file, or name another.');
  const common = { addresses, access: access ?? opened?.value ?? ('plain text' as const), clock: systemClock };
  let link: LedgerLink | undefined;
  let records: RecordLink | undefined;
  return {
    leasedFrom: {
      connect: (listener) =>
        (link = new LedgerLink({
          ...common,
          onConnected: () => {
            logger.info('ledger.connected', { to: link?.state.connected?.to });
            listener.onConnected();
          },
          onMessage: (message) => listener.onMessage(message),
        })),
      leaveWithinMs: LEAVE_WITHIN_MS,
    },
    deliver: (outbox) => {
      const telling = new RecordLink({
        ...common,
        outbox,
        onRefused: (id, reason) => logger.error('record.refused', { call: id, reason }),
        onFault: (error) => logger.error('records.unreadable', { error: error.message }),
      });
      records = telling;
      let gathering: NodeJS.Timeout | undefined;
      const tell = (): void => {
        gathering = undefined;
        telling.poke();
      };
      outbox.onMore(() => (gathering ??= setTimeout(tell, GATHER_MS)));
      return async () => {
        const until = systemClock.monotonicMs() + LEAVE_WITHIN_MS;
        while (systemClock.monotonicMs() < until && (await outbox.next(1)).length > 0) {
          telling.poke();
          await delay(LEAVE_STEP_MS);
        }
        clearTimeout(gathering);
        telling.close();
      };
    },
    problem: () => {
      if (link === undefined || link.state.connected !== undefined) return undefined;
      const { lastError } = link.state;
      return `the ledger service is not connected${lastError === undefined ? '' : `: ${lastError.message}`}`;
    },
    traffic: () => ({ hold: link?.traffic ?? NO_TRAFFIC, record: records?.traffic ?? NO_TRAFFIC }),
    close: () => opened?.ok === true && opened.value.close(),
  };
}
