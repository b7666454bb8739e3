import { bodyRefusal, refuseBody } from '../../core/call/index.ts';
import type { CallPorts, Room } from '../../core/call/index.ts';
import { BODY_HEADER, PASS_HEADER, WORKLOAD_METADATA } from '../../core/envoyconfig/index.ts';
import type { HttpHeaders, ProcessingRequest } from './codec.ts';
import type { ProcessHandler, ProcessStream } from './conversation.ts';
import { headerMutation, headerOf, immediateAnswer, incomingRequest } from './headers.ts';

export interface DoorkeeperOptions {
  readonly ports: Pick<CallPorts, 'observer' | 'newId'>;
  readonly room: Room;
  /** How long a body is taken to be that does not say. */
  readonly maxRequestBytes: number;
  /** Whether a word is that of a pass: its call has its room already, by another conversation. */
  readonly isPass?: ((word: string) => boolean) | undefined;
}

/**
 * One large request's conversation with Envoy before its body is taken in: its headers → it may come in, or a refusal. Envoy reads no
 * more of it meanwhile. It is over when the call is, whatever way that ends.
 */
export class Doorkeeper implements ProcessHandler {
  readonly #stream: ProcessStream;
  readonly #options: DoorkeeperOptions;
  readonly #id: string;

  constructor(stream: ProcessStream, options: DoorkeeperOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#id = options.ports.newId();
  }

  onMessage({ requestHeaders, responseHeaders }: ProcessingRequest): void {
    if (requestHeaders) this.#ask(requestHeaders);
    else if (responseHeaders) this.#stream.send({ responseHeaders: {} });
  }

  onEnd(): void {
    this.#options.room.leave(this.#id);
  }

  #ask(headers: HttpHeaders): void {
    const { ports, room, maxRequestBytes, isPass } = this.#options;
    if (headers.endOfStream === true || isPass?.(headerOf(headers, PASS_HEADER)) === true) return this.#stream.send({ requestHeaders: {} });
    const told = headerOf(headers, 'content-length');
    const bytes = told === '' ? maxRequestBytes : Math.min(Number(told), maxRequestBytes);
    room.enter(this.#id, bytes, (isLetIn) => {
      if (isLetIn) this.#stream.send({ requestHeaders: { response: { headerMutation: headerMutation([[BODY_HEADER, this.#id]], []) } } });
      else
        this.#stream.send(
          immediateAnswer(
            refuseBody(
              this.#id,
              { ...incomingRequest(headers, undefined), workload: this.#stream.metadata(WORKLOAD_METADATA) ?? '' },
              bodyRefusal(bytes, room.limits),
              ports,
            ).reply,
          ),
        );
    });
  }
}
