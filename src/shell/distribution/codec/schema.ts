import { schemasOf } from '../../wire/index.ts';

/** A hundred providers with a thousand models and their prices each. */
const MAX_PARTS = 250_000;

/** The messages of policy.proto, by name. */
export const schema = schemasOf('airmesh/policy/v1/policy.proto', 'airmesh.policy.v1', MAX_PARTS);
