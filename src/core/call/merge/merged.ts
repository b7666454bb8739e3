import type { LocalReply } from '../../dialects/index.ts';
import { Gathered } from '../answer.ts';
import { GONE_WITH_THE_BODY } from '../exchange.ts';
import { instructionsFor } from '../inject.ts';
import { refusal } from '../refusals.ts';
import type { AnswerChanges, AnswerHead, ExchangeEnd, ForwardedCall, ForwardInstructions } from '../request.ts';
import { shareCost } from './bill.ts';
import { mergedHeader, replyOf } from './member.ts';
import type { Member } from './member.ts';
import { verdictOnHead } from './verdict.ts';
import type { HeadVerdict } from './verdict.ts';

const NOTHING = new Uint8Array(0);

/** A call to the provider that is made for several. The leader's is sent; the followers' are held until its answer is there. */
export class MergedCall implements ForwardedCall {
  readonly #leader: Member;
  readonly #followers: readonly Member[];
  /** Calls like these are better not merged for a while. */
  readonly #failed: (sentAlone: number) => void;
  #verdict: HeadVerdict | undefined;
  #head: AnswerHead | undefined;
  #body = new Gathered();
  /** What the leader is told in the place of the provider's answer. */
  #instead: LocalReply | undefined;
  #areFollowersTold = false;
  /** Followers that have their answers. They are settled with the leader, when the last of all answers is on its way. */
  #answered: readonly Member[] = [];

  constructor(leader: Member, followers: readonly Member[], failed: (sentAlone: number) => void) {
    this.#leader = leader;
    this.#followers = followers;
    this.#failed = failed;
  }

  get #members(): readonly Member[] {
    return [this.#leader, ...this.#followers];
  }

  instructions(): ForwardInstructions {
    const { injection } = this.#leader;
    const language = injection.back.dialect.embeddings;
    if (language === undefined) throw new TypeError(`${injection.back.dialect.name} has no embeddings.`);
    const { endpoint, body } = language.join(this.#members.map(({ part }) => part));
    return instructionsFor(injection, endpoint, body);
  }

  onAnswerHead(head: AnswerHead): AnswerChanges {
    this.#head = head;
    this.#verdict = verdictOnHead(head);
    const changes = this.#leader.exchange.onAnswerHead(head);
    const merged = [...changes.set, mergedHeader(this.#members)];
    switch (this.#verdict) {
      case 'vectors':
        return { ...changes, set: merged, remove: [...changes.remove, ...GONE_WITH_THE_BODY] };
      case 'theirs':
        return { ...changes, set: merged };
      case 'ours':
        for (const follower of this.#toBeTold()) this.#answer(follower, head, NOTHING, this.#sayOurs(follower, head));
        return { ...changes, set: merged };
      case 'refused': {
        const followers = this.#toBeTold();
        this.#failed(followers.length);
        for (const follower of followers) follower.tell({ kind: 'alone' });
        return this.#saidInstead(changes, this.#failure(this.#leader, `refused it (status ${head.status}), perhaps for what another asked`));
      }
      case 'unreadable': {
        this.#failed(0);
        for (const follower of this.#toBeTold()) this.#answer(follower, head, NOTHING, this.#failure(follower, UNREADABLE));
        return this.#saidInstead(changes, this.#failure(this.#leader, UNREADABLE));
      }
    }
  }

  onAnswerBody(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    switch (this.#verdict) {
      case 'vectors':
        this.#body.add(chunk);
        return endOfStream ? this.#shareOut() : NOTHING;
      case 'theirs': {
        this.#body.add(chunk);
        const told = this.#leader.exchange.onAnswerBody(chunk, endOfStream);
        if (endOfStream) this.#passOn();
        return told;
      }
      case 'refused':
        // The meter may find usage in it.
        this.#leader.exchange.onAnswerBody(chunk, endOfStream);
        return endOfStream ? (this.#instead?.body ?? NOTHING) : NOTHING;
      case 'unreadable':
        return endOfStream ? (this.#instead?.body ?? NOTHING) : NOTHING;
      case 'ours':
      case undefined:
        return this.#leader.exchange.onAnswerBody(chunk, endOfStream);
    }
  }

  end(how: ExchangeEnd): void {
    if (how === 'complete' && this.#verdict === 'theirs') this.#passOn();
    for (const follower of this.#toBeTold()) {
      if (how === 'unsent') {
        follower.tell({ kind: 'alone' });
        continue;
      }
      // Nobody knows what the provider has done by then, so what was tried is settled by what was to be expected.
      if (this.#head !== undefined) follower.exchange.onSharedHead(this.#head);
      follower.exchange.end('closed');
      follower.tell({ kind: follower.hasLeft ? 'alone' : 'lost' });
    }
    this.#leader.exchange.end(how);
    for (const { exchange } of this.#answered) exchange.end('complete');
  }

  /** To each its own vectors and its own part of the bill. */
  #shareOut(): Uint8Array {
    const head = this.#head;
    const language = this.#leader.injection.back.dialect.embeddings;
    const parts = this.#body.isTooLong
      ? undefined
      : language?.split(
          this.#members.map(({ part }) => part),
          this.#body.whole(),
        );
    const followers = this.#toBeTold();
    if (parts === undefined || head === undefined) {
      this.#failed(0);
      for (const follower of followers) if (head !== undefined) this.#answer(follower, head, NOTHING, this.#failure(follower, UNREADABLE));
      // Its status has gone out before the body was there, so only the body can tell.
      return this.#failure(this.#leader, UNREADABLE).body;
    }
    const [own = NOTHING, ...others] = parts;
    const told = this.#leader.exchange.onAnswerBody(own, true);
    const replies = followers.map((follower, index): [Member, LocalReply] => {
      const changes = follower.exchange.onSharedHead(head);
      const body = follower.exchange.onAnswerBody(others[index] ?? NOTHING, true);
      return [follower, replyOf(follower, head, { ...changes, set: [...changes.set, mergedHeader(this.#members)] }, body)];
    });
    shareCost(this.#members.map(({ exchange }) => exchange));
    for (const [follower, reply] of replies) this.#tell(follower, reply);
    return told;
  }

  /** The provider's error, to each as if it had asked by itself. */
  #passOn(): void {
    const head = this.#head;
    const followers = this.#toBeTold();
    if (head === undefined || followers.length === 0) return;
    const body = this.#body.whole();
    for (const follower of followers) this.#answer(follower, head, body, undefined);
  }

  /** `instead`: what its caller is told in the place of that. */
  #answer(follower: Member, head: AnswerHead, body: Uint8Array, instead: LocalReply | undefined): void {
    const changes = follower.exchange.onSharedHead(head);
    const told = body.length === 0 && instead !== undefined ? NOTHING : follower.exchange.onAnswerBody(body, true);
    const set = [...changes.set, mergedHeader(this.#members)];
    const reply = instead === undefined ? replyOf(follower, head, { ...changes, set }, told) : { ...instead, headers: [...set, ...instead.headers] };
    this.#tell(follower, reply);
  }

  #tell(follower: Member, reply: LocalReply): void {
    follower.tell({ kind: 'answered', reply });
    this.#answered = [...this.#answered, follower];
  }

  #toBeTold(): readonly Member[] {
    if (this.#areFollowersTold) return [];
    this.#areFollowersTold = true;
    return this.#followers;
  }

  #saidInstead(changes: AnswerChanges, reply: LocalReply): AnswerChanges {
    this.#instead = reply;
    return {
      status: reply.status,
      set: [...changes.set, mergedHeader(this.#members), ...reply.headers],
      remove: [...changes.remove, ...GONE_WITH_THE_BODY, 'retry-after'],
    };
  }

  #failure({ id, injection }: Member, what: string): LocalReply {
    const message = `${this.#members.length} calls for embeddings were sent to ${injection.provider.id} as one, which ${what}. Send this one again: it goes by itself.`;
    return injection.front.dialect.refusal(refusal('merged_call_failed', message), id);
  }

  /** As Envoy has told the leader. */
  #sayOurs({ id, injection }: Member, { local }: AnswerHead): LocalReply {
    const reason =
      local === 'timeout'
        ? refusal('provider_timeout', 'The provider did not answer in time. It may have billed the call.')
        : refusal('provider_unreachable', 'The provider could not be reached, or broke the connection before it answered.');
    return injection.front.dialect.refusal(reason, id);
  }
}

const UNREADABLE = 'was answered by what cannot be shared out';
