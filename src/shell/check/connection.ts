import type { CheckOutcome, CheckProblemCode } from './provider.ts';

interface Diagnosis {
  readonly code: CheckProblemCode;
  readonly message: string;
  readonly hint: string;
}

const CLOCK_HINT = "Check this machine's clock, and whether something in between (a company proxy, an antivirus) replaces certificates.";
const AUTHORITY_HINT =
  'If the provider’s authority is a company’s own, name it in spec.tls.caCertificates; if a company proxy replaces certificates, name that one’s. Otherwise do not trust this address.';

/** What is behind an error of Node's (`error.code`): names from Node's errors, libuv's, and OpenSSL's verification. */
export function connectionProblem(error: unknown, url: URL, timeoutMs: number): CheckOutcome {
  return { kind: 'problem', ...diagnose(error, url, timeoutMs) };
}

function diagnose(error: unknown, url: URL, timeoutMs: number): Diagnosis {
  const code = codeOf(error);
  if (error instanceof Error && error.name === 'TimeoutError') {
    return {
      code: 'timeout',
      message: `no answer from ${url.host} in ${timeoutMs / 1_000} s`,
      hint: 'Check the network and any firewall, or ask again with a longer --timeout.',
    };
  }
  switch (code) {
    case 'ENOTFOUND':
      return {
        code: 'dns',
        message: `there is no host ${url.hostname}`,
        hint: 'Check baseUrl for a slip of the pen, and that this machine can resolve names.',
      };
    case 'EAI_AGAIN':
      return { code: 'dns', message: `the name ${url.hostname} could not be looked up now`, hint: 'Check the network and the DNS server of this machine.' };
    case 'ECONNREFUSED':
      return { code: 'unreachable', message: `nothing listens at ${url.host}`, hint: 'Start the server there, or check host and port of baseUrl.' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return { code: 'unreachable', message: `${url.host} cannot be reached`, hint: 'Check the network, the route and any firewall.' };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        code: 'unreachable',
        message: `${url.host} closed the connection`,
        hint: 'Check whether baseUrl should begin with https:// or http://, and any firewall.',
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return { code: 'tls', message: `the certificate of ${url.host} is not valid at this time`, hint: CLOCK_HINT };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { code: 'tls', message: `the certificate at ${url.host} is for another name`, hint: 'Check the host in baseUrl.' };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return { code: 'tls', message: `the certificate of ${url.host} is from an authority that this machine does not trust`, hint: AUTHORITY_HINT };
    case 'ERR_INVALID_CHAR':
      return { code: 'key_unreadable', message: 'the key has characters that no header can carry', hint: 'Copy it again, without line breaks and quotes.' };
  }
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL') === true) {
    return {
      code: 'tls',
      message: `${url.host} does not speak TLS as expected (${code})`,
      hint: 'Check whether baseUrl should begin with http://, and its port.',
    };
  }
  if (code?.startsWith('HPE_') === true) {
    return { code: 'wrong_base_url', message: `${url.host} does not speak HTTP`, hint: 'Check host and port of baseUrl.' };
  }
  return { code: 'unreachable', message: `${url.host} could not be asked (${code ?? 'unknown error'})`, hint: 'Check baseUrl and the network.' };
}

/** Where a name has several addresses, Node gathers the errors of all; the first stands for them. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
