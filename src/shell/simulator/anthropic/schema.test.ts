/** What the simulated Anthropic takes is what its client can send. The compiler checks it: at run time these say nothing. */
import type { MessageCountTokensParams, MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { Missing, Sent } from '../sent.ts';
import type { CountRequest, MessageRequest, newestMessageRequest } from './schema.ts';

type Newest = z.output<typeof newestMessageRequest>;

/** Left out: containers, tiers of speed, and whom a call is for. */
type CountedLeftOut = 'speed' | 'user_profile_id' | 'workspace_id';
type LeftOut = CountedLeftOut | 'container' | 'diagnostics';

it('of messages', () => {
  expectTypeOf<Omit<Sent<Newest>, 'stream'>>().toExtend<Omit<MessageCreateParams, 'stream'>>();
  expectTypeOf<Missing<Newest, MessageCreateParams>>().toEqualTypeOf<never>();
  expectTypeOf<Missing<MessageCreateParams, Newest>>().toEqualTypeOf<LeftOut>();
});

it('of the version before, whose sampling the client has no more', () => {
  expectTypeOf<Missing<MessageRequest, MessageCreateParams>>().toEqualTypeOf<'temperature' | 'top_p' | 'top_k'>();
});

it('of counts', () => {
  expectTypeOf<Sent<CountRequest>>().toExtend<MessageCountTokensParams>();
  expectTypeOf<Missing<MessageCountTokensParams, CountRequest>>().toEqualTypeOf<CountedLeftOut>();
});
