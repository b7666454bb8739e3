import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, status } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../core/call/index.ts';
import type { EpochMs, MonotonicMs } from '../../core/units/index.ts';
import { authorizationOf, channelCredentials, onRenewed } from './access.ts';
import type { Access } from './access.ts';
import { addressFault, resolveAddress } from './addresses.ts';
import type { Target } from './addresses.ts';
import { backoffMs } from './backoff.ts';
import { patience } from './patience.ts';
import { isOfController, protocolFault, protocolMetadata } from './protocol.ts';
import type { StreamMethod } from './service.ts';

const BACKOFF = { leastMs: 50, mostMs: 1_500 };
/** What no waiting mends by itself, such as a certificate that names nobody, is tried again no faster. */
const REFUSED_BACKOFF = { leastMs: 2_000, mostMs: 15_000 };
/** A stream that lasted so long was no failure. */
const STEADY_MS: MonotonicMs = 5_000;
/**
 * A service that has not taken a stream by then is not there. Or it has a thousand others to greet: so each time in a row
 * twice as long is waited, or nobody would ever get through.
 */
const OPEN_MS: MonotonicMs = 3_000;
const MOST_OPEN_MS: MonotonicMs = 30_000;
/** Within this time after its credentials were renewed a stream is begun anew; a token that the kubelet renews has two minutes left at least. */
const RENEWAL_MS: MonotonicMs = 30_000;
const KEEPALIVE_MS: MonotonicMs = 10_000;
const KEEPALIVE_ANSWER_MS: MonotonicMs = 5_000;
/** What may wait for a service that does not read. */
const MAX_QUEUED_BYTES = 4 * 1_048_576;
const MAX_MESSAGE_BYTES = 16 * 1_048_576;
/** TLS names no addresses (RFC 6066, 3), and grpc-js always names something; this one is nobody's (RFC 6761, 6.4). */
const NAME_OF_ADDRESSES = 'ledger.invalid';

/** `ABORTED`: somebody else has the same name. */
const REFUSALS: ReadonlySet<status> = new Set([
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
]);

export interface LinkParts {
  /** Of all controllers, `host:port` or `unix:/path`; a name may stand for several. */
  readonly addresses: readonly string[];
  readonly access: Access;
  readonly clock: Clock;
}

/** For people to look at. */
export interface LinkState {
  readonly connected?: { readonly to: string; readonly since: EpochMs };
  /** Why there is no connection, or why the latest one ended. */
  readonly lastError?: { readonly message: string; readonly at: EpochMs };
}

export interface DialerParts extends LinkParts {
  readonly method: StreamMethod;
  /** What was sent is answered within this time, or the connection is given up; absent where not all is answered. */
  readonly answerMs?: MonotonicMs;
  /** There is a stream; what was sent on former ones may be lost. */
  readonly onOpen: () => void;
  readonly onClosed: () => void;
  /** What is wrong with it, if anything: then the stream is given up. */
  readonly onMessage: (bytes: Buffer) => string | undefined;
}

/** How an attempt ended. */
interface Attempt {
  readonly lastedMs: MonotonicMs;
  readonly code: status;
}

/** Keeps one stream to one of several controllers: whichever takes it. Tries one after the other, for as long as it lives. Throws on an address that `addressFault` finds wrong. */
export class Dialer {
  readonly #parts: DialerParts;
  /** By what the service's certificate must name. */
  readonly #credentials = new Map<string | undefined, ChannelCredentials>();
  /** Connections that are worth keeping, by target: a controller that does not lead may do so soon. */
  readonly #clients = new Map<string, Client>();
  readonly #closing = new AbortController();
  #call: ClientDuplexStream<Buffer, Buffer> | undefined;
  #queuedBytes = 0;
  /** Ends the waiting for an answer. */
  #endWaiting: (() => void) | undefined;
  #renewal: NodeJS.Timeout | undefined;
  readonly #forgetAccess: () => void;
  /** Attempts in a row that nobody answered in time. */
  #unheard = 0;
  #lastGood: string | undefined;
  #connected: LinkState['connected'];
  #lastError: LinkState['lastError'];

  constructor(parts: DialerParts) {
    this.#parts = parts;
    const { addresses, access } = parts;
    for (const address of addresses) {
      const fault = addressFault(address);
      if (fault !== undefined) throw new TypeError(fault);
    }
    this.#forgetAccess = onRenewed(access, () => this.#renew());
    void this.#live();
  }

  get state(): LinkState {
    return { ...(this.#connected && { connected: this.#connected }), ...(this.#lastError && { lastError: this.#lastError }) };
  }

  /** Forgotten where there is no stream. */
  send(bytes: Buffer): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) return this.#giveUp('the controller does not read what it is sent');
    call.write(bytes, () => {
      if (this.#call === call) this.#queuedBytes -= bytes.length;
    });
    const { answerMs } = this.#parts;
    if (answerMs !== undefined) this.#endWaiting ??= patience(answerMs, () => this.#giveUp(`the controller has not answered for ${answerMs / 1_000} s`));
  }

  close(): void {
    this.#closing.abort();
    this.#forgetAccess();
    clearTimeout(this.#renewal);
    this.#giveUp('closed');
    this.#keepOnly(undefined);
  }

  async #live(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const targets = await this.#targets();
      for (const target of targets.length === 0 ? [undefined] : targets) {
        const { lastedMs, code } = target === undefined ? { lastedMs: 0, code: status.UNAVAILABLE } : await this.#attempt(target);
        failures = lastedMs >= STEADY_MS ? 1 : failures + 1;
        await delay(backoffMs(REFUSALS.has(code) ? REFUSED_BACKOFF : BACKOFF, failures), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        // Who led may be back, and names may have changed.
        if (lastedMs >= STEADY_MS) break;
      }
    }
  }

  /** What the names stand for now, in any order; first what was good before. */
  async #targets(): Promise<Target[]> {
    const targets: Target[] = [];
    for (const resolved of await Promise.all(this.#parts.addresses.map((address) => resolveAddress(address)))) {
      if (resolved.ok) targets.push(...resolved.value);
      else this.#note(resolved.error);
    }
    const order = new Map(targets.map((target) => [target, target.target === this.#lastGood ? -1 : Math.random()]));
    return targets.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  }

  /** Resolves when the stream is over. */
  #attempt(target: Target): Promise<Attempt> {
    const { clock, method, access } = this.#parts;
    const authorization = authorizationOf(access);
    if (!authorization.ok) {
      this.#note(authorization.error);
      return Promise.resolve({ lastedMs: 0, code: status.UNAVAILABLE });
    }
    const metadata = protocolMetadata();
    if (authorization.value !== undefined) metadata.set('authorization', authorization.value);
    const { path, requestSerialize, responseDeserialize } = method;
    const client = this.#clients.get(target.target) ?? new Client(target.target, this.#credentialsFor(target), optionsFor(target));
    this.#clients.set(target.target, client);
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    const { signal } = this.#closing;
    const cancel = (): void => call.cancel();
    return new Promise((resolve) => {
      let openedAt: MonotonicMs | undefined;
      const openMs = Math.min(MOST_OPEN_MS, OPEN_MS * 2 ** this.#unheard);
      const isOpened = patience(openMs, () => {
        this.#unheard += 1;
        this.#cancel(call, `${target.authority} has not taken a stream for ${openMs / 1_000} s`);
      });
      call.on('metadata', (said) => {
        const fault = protocolFault(said, 'controller');
        if (fault !== undefined) return this.#cancel(call, fault);
        isOpened();
        openedAt = clock.monotonicMs();
        this.#opened(call, target);
      });
      call.on('data', (bytes: Buffer) => this.#heard(call, bytes));
      call.on('error', () => undefined); // The status follows, and says all that matters.
      call.on('status', (ended: StatusObject) => {
        isOpened();
        signal.removeEventListener('abort', cancel);
        this.#ended(call, target, ended);
        resolve({ lastedMs: openedAt === undefined ? 0 : clock.monotonicMs() - openedAt, code: ended.code });
      });
      // Where it is closed before the service has taken it, or was while names were resolved.
      signal.addEventListener('abort', cancel);
      if (signal.aborted) cancel();
    });
  }

  #credentialsFor({ host }: Target): ChannelCredentials {
    const known = this.#credentials.get(host);
    if (known !== undefined) return known;
    const made = channelCredentials(this.#parts.access, host);
    this.#credentials.set(host, made);
    return made;
  }

  /** Comes back with the newer credentials before the former ones end; not when all others do. */
  #renew(): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => this.#giveUp('its credentials were renewed'), Math.random() * RENEWAL_MS);
  }

  #opened(call: ClientDuplexStream<Buffer, Buffer>, { target, authority }: Target): void {
    this.#call = call;
    this.#unheard = 0;
    this.#queuedBytes = 0;
    this.#lastGood = target;
    this.#connected = { to: authority, since: this.#parts.clock.epochMs() };
    this.#keepOnly(target);
    this.#parts.onOpen();
  }

  #heard(call: ClientDuplexStream<Buffer, Buffer>, bytes: Buffer): void {
    if (this.#call !== call) return;
    this.#answered();
    const fault = this.#parts.onMessage(bytes);
    if (fault !== undefined) this.#giveUp(fault);
  }

  #ended(call: ClientDuplexStream<Buffer, Buffer>, { target, authority }: Target, { code, details, metadata }: StatusObject): void {
    if (this.#call === call) this.#left();
    // Cancelled here, for a reason that was noted.
    if (code !== status.CANCELLED) this.#note(`${authority}: ${details} (${status[code]})`);
    // Of a connection that may be broken, or was made with credentials that are not taken, another one is made.
    if (code === status.UNAVAILABLE && isOfController(metadata)) return;
    this.#clients.get(target)?.close();
    this.#clients.delete(target);
  }

  #giveUp(why: string): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#left();
    this.#cancel(call, why);
  }

  #left(): void {
    this.#call = undefined;
    this.#connected = undefined;
    this.#answered();
    this.#parts.onClosed();
  }

  #cancel(call: ClientDuplexStream<Buffer, Buffer>, why: string): void {
    this.#note(why);
    call.cancel();
  }

  #answered(): void {
    this.#endWaiting?.();
    this.#endWaiting = undefined;
  }

  #keepOnly(target: string | undefined): void {
    for (const [other, client] of this.#clients) {
      if (other === target) continue;
      client.close();
      this.#clients.delete(other);
    }
  }

  #note(message: string): void {
    this.#lastError = { message, at: this.#parts.clock.epochMs() };
  }
}

function optionsFor({ host, authority }: Target): Record<string, string | number> {
  return {
    'grpc.default_authority': authority,
    ...(host !== undefined && { 'grpc.ssl_target_name_override': isIP(host) === 0 ? host : NAME_OF_ADDRESSES }),
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_ANSWER_MS,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': BACKOFF.leastMs,
    'grpc.max_reconnect_backoff_ms': BACKOFF.mostMs,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
  };
}
