import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api } from '@kubernetes/client-node';
import { AUTHORITIES, Authority, SecretAuthorityStore, issuedIdentity, tlsFolderIdentity } from '../../shell/certs/index.ts';
import type { AuthorityTerms, IdentitySource, ServerIdentity } from '../../shell/certs/index.ts';
import type { Cluster } from '../../shell/kube/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { systemClock } from '../mesh/clock.ts';
import { StartError } from '../start-error.ts';

const DAY_MS = 86_400_000;
/** A controller that is cut off from the API server can be restarted, but makes no certificate; this is longer than anybody lets that last. */
const LIFETIME_MS = 7 * DAY_MS;
const RETRY_MS = 2_000;
/** Not looked at less often, as clocks are set. */
const LONGEST_WAIT_MS = 3_600_000;

export interface AuthoritiesParts {
  readonly cluster: Pick<Cluster, 'config'>;
  readonly namespace: string;
  /** What the names of the Secrets begin with. */
  readonly prefix: string;
  /** By which API servers reach controllers: the Service's name in that namespace. Sidecars do by the same and `-controllers`. */
  readonly service: string;
  /** Where another's certificate for controllers is mounted; absent: it is made here. */
  readonly tlsFolder?: string;
  readonly logger: Logger;
  /** Ends waiting for an API server that does not answer. */
  readonly closing: AbortSignal;
}

/** The mesh's own authorities, kept in Secrets that all controllers share, and this controller's certificate. */
export class Authorities {
  readonly interception: Authority;
  /** The certificate as it is now. */
  identity: ServerIdentity;
  readonly #source: IdentitySource;
  readonly #listeners = new Set<(identity: ServerIdentity) => void>();
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;

  private constructor(interception: Authority, source: IdentitySource, identity: ServerIdentity, logger: Logger) {
    this.interception = interception;
    this.identity = identity;
    this.#source = source;
    this.#logger = logger;
    this.#schedule(this.#wait());
  }

  /** Waits for an API server that does not answer. Throws a StartError where what is kept is damaged: others may still trust it. */
  static async open(parts: AuthoritiesParts): Promise<Authorities> {
    const interception = await openAuthority(parts, 'interception', AUTHORITIES.interception());
    const source = await sourceOf(parts);
    const identity = await source.tend();
    if (!identity.ok) throw new StartError(`There is no certificate: ${identity.error.where}: ${identity.error.reason}.`, 'Mend it there.');
    const { logger } = parts;
    return new Authorities(interception, source, identity.value, logger);
  }

  /** Told of each new certificate, and of each change of the roots. */
  onChange(listener: (identity: ServerIdentity) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(): number {
    return Math.min(LONGEST_WAIT_MS, Math.max(RETRY_MS, this.#source.dueAt() - systemClock.epochMs()));
  }

  #schedule(waitMs: number): void {
    this.#timer = setTimeout(() => void this.#tend(), waitMs).unref();
  }

  async #tend(): Promise<void> {
    const tended = await this.#source.tend();
    if (!tended.ok) {
      this.#logger.error('certificate.failed', { where: tended.error.where, reason: tended.error.reason });
      return this.#schedule(RETRY_MS * 15);
    }
    if (tended.value !== this.identity) {
      this.identity = tended.value;
      this.#logger.info('certificate.renewed', { until: new Date(tended.value.leaf.notAfter).toISOString() });
      for (const listener of this.#listeners) listener(tended.value);
    }
    this.#schedule(this.#wait());
  }
}

/** Of the mesh's own authority, or of another's. */
async function sourceOf(parts: AuthoritiesParts): Promise<IdentitySource> {
  const { namespace, service, tlsFolder } = parts;
  const now = (): number => systemClock.epochMs();
  const hosts = [service, `${service}-controllers`].map((name) => `${name}.${namespace}.svc`);
  if (tlsFolder !== undefined) return tlsFolderIdentity({ folder: tlsFolder, dns: hosts, now });
  const authority = await openAuthority(parts, 'control-plane', AUTHORITIES.controlPlane(namespace));
  const wishes = { dns: [...hosts.flatMap((host) => [host, `${host}.cluster.local`]), 'localhost'], lifetimeMs: LIFETIME_MS };
  return issuedIdentity({ authority, wishes, now, chance: Math.random });
}

async function openAuthority({ cluster, namespace, prefix, logger, closing }: AuthoritiesParts, purpose: string, terms: AuthorityTerms): Promise<Authority> {
  const store = new SecretAuthorityStore(cluster.config.makeApiClient(CoreV1Api), { namespace, name: `${prefix}-${purpose}` });
  for (;;) {
    const opened = await Authority.open({ store, terms, now: () => systemClock.epochMs() });
    if (opened.ok) return opened.value;
    const { where, reason } = opened.error;
    if (!/did not answer|answered (?:401|403|429|5\d\d)/.test(reason))
      throw new StartError(`${where}: ${reason}.`, 'Mend it, or restore it; it is never made anew by itself.');
    logger.warn('authority.waiting', { where, reason });
    await delay(RETRY_MS, undefined, { signal: closing });
  }
}
