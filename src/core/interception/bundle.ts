const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of several texts, PEM, each once, in their order. What stands around them (comments, other objects) is
 * left out: some runtimes stop at the first thing that they do not know.
 */
export function bundleOf(...texts: readonly string[]): readonly string[] {
  const certificates = texts.flatMap((text) => text.match(CERTIFICATE) ?? []);
  return [...new Set(certificates.map((certificate) => `${certificate.replaceAll('\r', '').replace(/[ \t]+$/gm, '')}\n`))];
}
