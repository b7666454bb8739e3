import type { KeyHealth } from '../../shell/keys/index.ts';
import type { Address, RunOptions } from '../ports.ts';
import type { Policies, PolicySource } from './policies.ts';
export function summaryOf(facts: { options: RunOptions; policies: Policies; source: PolicySource; keys: readonly KeyHealth[]; envoyVersion: string; simulatorUrl: string | undefined; admin: Address }): never { return facts as never; }
