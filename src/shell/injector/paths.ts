import type { NamespaceFacts } from '../../core/injection/index.ts';

/**
 * The chart registers one webhook for each: which of them is asked says how the pod's namespace is labelled, as the API server
 * knows it at that moment.
 */
export const WEBHOOK_PATHS: ReadonlyMap<string, NamespaceFacts> = new Map([
  /** For pods of namespaces that are labelled. */
  ['/inject/namespace', { isLabelled: true, allowsNetAdmin: true }],
  /** The same, where Pod Security is Baseline or Restricted. */
  ['/inject/namespace/confined', { isLabelled: true, allowsNetAdmin: false }],
  /** For pods that are labelled themselves, in other namespaces. */
  ['/inject/pod', { isLabelled: false, allowsNetAdmin: true }],
  ['/inject/pod/confined', { isLabelled: false, allowsNetAdmin: false }],
]);
