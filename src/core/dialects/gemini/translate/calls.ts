/** A call of a function that has no result yet. */
export interface OpenCall {
  readonly id: string;
  readonly name: string;
}

/**
 * The calls of a conversation in their order. Gemini's ids are optional: a call without one is numbered by its place, so
 * that the same conversation always has the same ids, and a result without one answers the first call of its name.
 */
export class CallLedger {
  readonly #taken = new Set<string>();
  #open: OpenCall[] = [];
  #count = 0;

  /** Notes a call and gives the id that it goes by. */
  open(name: string, given: string | undefined): string {
    const id = given ?? this.#freeId();
    this.#taken.add(id);
    this.#open.push({ id, name });
    return id;
  }

  /** Takes the call that a result answers; `undefined` where none is open. */
  answer(name: string | undefined, id: string | undefined): OpenCall | undefined {
    const call = this.#open.find((open) => open.id === id) ?? this.#open.find((open) => open.name === name);
    this.#open = this.#open.filter((open) => open !== call);
    return call;
  }

  get openCount(): number {
    return this.#open.length;
  }

  #freeId(): string {
    let id: string;
    do id = `call_${this.#count++}`;
    while (this.#taken.has(id));
    return id;
  }
}

/** Names calls of one answer that have no id: by the answer, so that ids differ across a conversation. */
export class AnswerCalls {
  readonly #taken = new Set<string>();
  #count = 0;

  idOf(given: string | undefined, answerId: string): string {
    // Providers differ in the characters and the length that they take; OpenAI's forty are the least.
    const answer = answerId.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, 28);
    const own = answer === '' ? `call_${this.#count++}` : `call_${answer}_${this.#count++}`;
    const id = given === undefined || this.#taken.has(given) ? own : given;
    this.#taken.add(id);
    return id;
  }
}
