/** Names of the files in the folder of trust. */
export const TRUST_FILES = {
  /** All: public authorities, the mesh's, the namespace's own. PEM. */
  all: 'ca.pem',
  /** What is added to the public ones. PEM. */
  added: 'mesh.pem',
  /** All of them, as Java reads them. */
  java: 'truststore.jks',
  /** For Wget, which has no variable but for its settings. */
  wget: 'wgetrc',
} as const;

/** An environment variable that a runtime reads. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Who reads it, for people. */
  readonly readBy: string;
}

/**
 * By which variables runtimes are told whom to trust. Those that take a bundle in the place of their own get all of it; Node
 * takes what is added to what it brings.
 * Sources: Node, "Command-line API"; OpenSSL, SSL_CTX_set_default_verify_paths; Go, crypto/x509; Requests, "SSL Cert
 * Verification"; curl(1); Wget’s source, init.c; gRPC, "environment variables"; git-config(1); AWS SDKs, "General configuration"; Deno, "Environment
 * variables"; Oracle, JSSE Reference Guide.
 */
export function trustVariables(folder: string): readonly Variable[] {
  const all = `${folder}/${TRUST_FILES.all}`;
  return [
    { name: 'NODE_EXTRA_CA_CERTS', value: `${folder}/${TRUST_FILES.added}`, readBy: 'Node, Bun' },
    { name: 'SSL_CERT_FILE', value: all, readBy: 'OpenSSL, and so Python’s ssl and httpx, Ruby, PHP; Go; .NET; Rust’s native certificates' },
    { name: 'REQUESTS_CA_BUNDLE', value: all, readBy: 'Python’s Requests' },
    { name: 'CURL_CA_BUNDLE', value: all, readBy: 'curl' },
    { name: 'SYSTEM_WGETRC', value: `${folder}/${TRUST_FILES.wget}`, readBy: 'GNU Wget' },
    { name: 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', value: all, readBy: 'gRPC for C++, Python, Ruby, PHP' },
    { name: 'GIT_SSL_CAINFO', value: all, readBy: 'git' },
    { name: 'AWS_CA_BUNDLE', value: all, readBy: 'AWS’s clients' },
    { name: 'DENO_CERT', value: `${folder}/${TRUST_FILES.added}`, readBy: 'Deno' },
    { name: 'JAVA_TOOL_OPTIONS', value: javaOption(folder), readBy: 'Java virtual machines' },
  ];
}

/** For Java from 9 on, where an application has `JAVA_TOOL_OPTIONS` of its own; read by the launcher alone. */
export const javaLauncherVariable = (folder: string): Variable => ({ name: 'JDK_JAVA_OPTIONS', value: javaOption(folder), readBy: 'the launcher `java`' });

export const javaOption = (folder: string): string => `-Djavax.net.ssl.trustStore=${folder}/${TRUST_FILES.java}`;
