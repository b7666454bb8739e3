import { inspect } from 'node:util';
import type { InterceptedHost, Interception, LeafCertificate } from '../../../core/control/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import { count, counts, list, misfit, name, oneOf, optionalChild, text, texts, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';

const MAX_HOSTS = 10_000;
const MAX_PORTS = 100;
export const MAX_PEM = 500_000;

const EGRESS: Readonly<Record<Interception['egress'], true>> = { Open: true, Enforced: true };

/** A leaf whose key whatever prints it does not show. */
class HiddenLeaf implements LeafCertificate {
  readonly certificate: string;
  readonly notAfter: EpochMs;
  readonly #key: string;

  constructor(certificate: string, key: string, notAfter: EpochMs) {
    this.certificate = certificate;
    this.#key = key;
    this.notAfter = notAfter;
  }

  get key(): string {
    return this.#key;
  }

  [inspect.custom](): string {
    return `leaf until ${new Date(this.notAfter).toISOString()}`;
  }
}

export function rawInterception({ hosts, passedHosts, refusedHosts, networks, webSocketHosts, ...interception }: Interception): Raw {
  return {
    ...interception,
    hosts: hosts.map(rawHost),
    passedHosts: rawNames(passedHosts),
    refusedHosts: rawNames(refusedHosts),
    networks: rawNames(networks),
    webSocketHosts: rawNames(webSocketHosts),
  };
}

export function readInterception(raw: Raw): Interception {
  return withoutAbsent<Interception>({
    hosts: list(raw, 'hosts', MAX_HOSTS, readHost),
    roots: text(raw, 'roots', MAX_PEM),
    egress: oneOf(raw, 'egress', EGRESS),
    passedHosts: optionalChild(raw, 'passedHosts', readNames),
    refusedHosts: optionalChild(raw, 'refusedHosts', readNames),
    networks: optionalChild(raw, 'networks', readNames),
    webSocketHosts: optionalChild(raw, 'webSocketHosts', readNames),
  });
}

const rawNames = (names: readonly string[] | undefined): Raw | undefined => (names === undefined ? undefined : { names });
const readNames = (raw: Raw): readonly string[] => texts(raw, 'names', MAX_HOSTS);

function rawHost({ leaf, addresses, ...rest }: InterceptedHost): Raw {
  const host = { ...rest, addresses: rawNames(addresses) };
  if (leaf === undefined) return host;
  const { certificate, key, notAfter } = leaf;
  return { ...host, leaf: { certificate, key, notAfter } };
}

function readHost(raw: Raw): InterceptedHost {
  return withoutAbsent<InterceptedHost>({
    host: name(raw, 'host'),
    leaf: optionalChild(raw, 'leaf', readLeaf),
    ports: counts(raw, 'ports', MAX_PORTS),
    addresses: optionalChild(raw, 'addresses', readNames),
  });
}

function readLeaf(raw: Raw): LeafCertificate {
  return new HiddenLeaf(pem(raw, 'certificate'), pem(raw, 'key'), count(raw, 'notAfter'));
}

function pem(raw: Raw, field: string): string {
  const value = text(raw, field, MAX_PEM);
  return value === '' ? misfit(field, 'is missing') : value;
}
