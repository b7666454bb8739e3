import { streamMethod } from '../wire/index.ts';

/** The service of policy.proto. */
export const POLICY_METHODS = {
  Follow: streamMethod('airmesh.policy.v1.Policies', 'Follow'),
  Serve: streamMethod('airmesh.policy.v1.Policies', 'Serve'),
};
