/** Where the APIs whose languages Airmesh speaks are called, so that a call written for one can be served by another. */
export const PUBLIC_HOSTS: readonly string[] = ['api.anthropic.com', 'api.deepseek.com', 'api.openai.com', 'generativelanguage.googleapis.com'];

/**
 * Which hosts the routes of a workload take calls in for, besides those of their providers; sorted. A route that names none
 * means the public ones.
 */
export function interceptedBy(routes: readonly { readonly hosts?: readonly string[] | undefined }[]): readonly string[] {
  return [...new Set(routes.flatMap(({ hosts }) => hosts ?? PUBLIC_HOSTS))].toSorted();
}
