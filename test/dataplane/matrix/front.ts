/** What every client is asked, and what it is to answer, in words of no API. */
export interface Question {
  readonly model: string;
  readonly system?: string;
  readonly turns: readonly Turn[];
  readonly tools?: readonly Tool[];
  /** A JSON Schema that the answer is to fit. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly stream?: boolean;
  readonly maxTokens?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Turn =
  | { readonly role: 'user'; readonly text: string; /** A PNG in base64. */ readonly image?: string }
  | { readonly role: 'assistant'; readonly text: string }
  | { readonly role: 'calls'; readonly calls: readonly Call[] }
  | { readonly role: 'results'; readonly results: readonly { readonly id: string; readonly name: string; readonly output: string }[] };

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

export interface Answered {
  readonly text: string;
  readonly finish: string;
  readonly calls: readonly Call[];
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A client that its makers publish, unchanged, and the API that it speaks. */
export interface Front {
  readonly name: string;
  ask(question: Question): Promise<Answered>;
}

/** Where a mesh is found: its root, without a version. */
export interface Place {
  readonly origin: string;
}

/** What all SDKs tell of a failure in one way or another. */
export function failureOf(error: unknown): { readonly status: number | undefined; readonly message: string } {
  const { status, statusCode, message, cause } = error as { status?: number; statusCode?: number; message?: string; cause?: unknown };
  if (status === undefined && statusCode === undefined && cause !== undefined) return failureOf(cause);
  return { status: status ?? statusCode, message: message ?? String(error) };
}
