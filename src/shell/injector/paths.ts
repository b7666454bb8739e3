/** The chart registers one webhook for each: which of them is asked says what the pod's namespace is labelled. */
export const WEBHOOK_PATHS = {
  /** For pods of namespaces that are labelled. */
  namespace: '/inject/namespace',
  /** For pods that are labelled themselves, in other namespaces. */
  pod: '/inject/pod',
} as const;
