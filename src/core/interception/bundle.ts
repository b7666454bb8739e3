const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of several texts, PEM, each once, in their order. What stands around them (comments, other objects) is
 * left out: some runtimes stop at the first thing that they do not know.
 */
export function bundleOf(...texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap(certificatesIn).map((certificate) => `${certificate.replaceAll('\r', '').replace(/[ \t]+$/gm, '')}\n`))];
}

/** Each that is whole, as it stands there. */
export const certificatesIn = (text: string): readonly string[] => text.match(CERTIFICATE) ?? [];
