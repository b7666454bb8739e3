import { X509Certificate } from 'node:crypto';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { Identity } from './ports.ts';
import { spiffeFault, urisOf } from './spiffe.ts';

/** What a caller shows of itself. */
export interface Credentials {
  /** Its certificate in DER, if it showed one and TLS has verified it: the chain, the dates, that it holds the key. */
  readonly certificate: Buffer | undefined;
  /** The first value of a metadata key, such as `authorization`. */
  metadata(key: string): string | undefined;
}

/** Who it is; the error is told to the caller, and says what to do. */
export type Authenticate = (credentials: Credentials, at: EpochMs) => Result<Identity, string> | Promise<Result<Identity, string>>;

/**
 * By its client certificate, an X.509-SVID: its name is the one URI among the alternative names of the subject
 * (SPIFFE X509-SVID, 2 and 5.2), and no certificate of an authority proves who a workload is (4.1).
 */
export function byCertificate(trustDomain?: string): Authenticate {
  return ({ certificate }, at) => {
    if (certificate === undefined) return err('a client certificate is needed, issued by an authority that the controller trusts');
    const { subjectAltName, ca, validToDate } = new X509Certificate(certificate);
    if (ca) return err('the client certificate is that of an authority; use one that was issued to this processor');
    const uris = urisOf(subjectAltName ?? '');
    if (!uris.ok) return err(`the client certificate names nobody: ${uris.error}`);
    const [processor, ...others] = uris.value;
    if (processor === undefined || others.length > 0)
      return err(`the client certificate must have one URI among its alternative names, spiffe://<trust domain>/<path>; it has ${uris.value.length}`);
    const fault = spiffeFault(processor, trustDomain);
    if (fault !== undefined) return err(`the URI of the client certificate is no name of a processor: ${fault}`);
    const validUntil = validToDate.getTime();
    // TLS looks at the dates when a connection begins; it may last longer, or be resumed.
    if (validUntil <= at) return err(`the client certificate of ${processor} ended at ${validToDate.toISOString()}`);
    return ok({ processor, validUntil });
  };
}
