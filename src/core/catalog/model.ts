import type { Price } from './price.ts';

/**
 * What is known of a model. Names are matched without regard to case; absent limits are unknown, not unlimited.
 */
export interface ModelInfo {
  /** The catalogue's name, such as `claude-sonnet-4.5`. */
  readonly name: string;
  /** The provider's own name where it differs, such as `claude-sonnet-4-5`. */
  readonly providerModel?: string;
  /** `undefined`: unknown, which the policy of the provider decides upon (refuse, or count tokens only). */
  readonly price: Price | undefined;
  /** Tokens of input and output together. */
  readonly contextWindow?: number;
  /** Largest answer, reasoning included. */
  readonly maxOutputTokens?: number;
  /** Upper bound of the tokens of one input image at its highest detail. */
  readonly maxImageTokens?: number;
}
