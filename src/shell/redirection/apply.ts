import { CHAINS, redirectionRules, removalOf } from '../../core/redirection/index.ts';
import type { ChainKey, Family, RedirectionSettings } from '../../core/redirection/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { RunTool } from './tool.ts';

/** The kernel's two packet filters, the newer one first, and what a machine has that does not say which. */
const KINDS = ['nft', 'legacy', ''] as const;
type Kind = (typeof KINDS)[number];

const PROGRAMS: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };
const KEYS = ['redirect', 'refuse', 'reach'] as const;

export interface Redirected {
  /** Which program did it, by IP version. */
  readonly by: Readonly<Partial<Record<Family, string>>>;
}

/** What there is of one of our chains. */
interface Found {
  readonly jumps: number;
  readonly hasChain: boolean;
  readonly redirects: boolean;
}

/**
 * Redirects connections of this network namespace, in IPv4 and, where there is any, IPv6. Doing it again changes nothing.
 * Where it cannot be done, or is not seen to be done, nothing is left behind: the error says what was tried.
 */
export function redirect(settings: RedirectionSettings, hasIpv6: boolean, run: RunTool): Result<Redirected, string> {
  const by: Partial<Record<Family, string>> = {};
  for (const family of families(hasIpv6)) {
    const applied = redirectFamily(family, settings, run);
    if (!applied.ok) {
      takeBack(hasIpv6, run);
      return applied;
    }
    by[family] = applied.value;
  }
  return ok({ by });
}

/** Takes it back, whoever of the packet filters has it. Returns what could not be. */
export function takeBack(hasIpv6: boolean, run: RunTool): readonly string[] {
  const faults: string[] = [];
  for (const family of families(hasIpv6)) {
    for (const program of programs(family)) {
      const present = foundBy(program, run);
      if (present === undefined || !KEYS.some((key) => present[key].hasChain)) continue;
      const removed = run(`${program}-restore`, ['--noflush', '--wait', '5'], removalOf(present));
      if (removed?.ok !== true) faults.push(`${program}: ${removed?.fault ?? 'is not there'}`);
    }
  }
  return faults;
}

function redirectFamily(family: Family, settings: RedirectionSettings, run: RunTool): Result<string, string> {
  const tried: string[] = [];
  for (const program of programs(family)) {
    const present = foundBy(program, run);
    if (present === undefined) {
      tried.push(`${program} is not there or may not look`);
      continue;
    }
    const isAbsent = (key: ChainKey): boolean => present[key].jumps === 0;
    const rules = redirectionRules(family, settings, { redirect: isAbsent('redirect'), refuse: isAbsent('refuse'), reach: isAbsent('reach') });
    const applied = run(`${program}-restore`, ['--noflush', '--wait', '5'], rules);
    if (applied?.ok !== true) {
      tried.push(`${program}: ${applied?.fault ?? 'is not there'}`);
      continue;
    }
    const after = foundBy(program, run);
    const wanted: readonly ChainKey[] = settings.reached === undefined ? ['redirect', 'refuse'] : KEYS;
    if (after?.redirect.redirects === true && wanted.every((key) => after[key].jumps > 0)) return ok(program);
    tried.push(`${program} took the rules, but a jump to ${wanted.map((key) => CHAINS[key].name).join(' or ')} is not there`);
  }
  return err(`connections cannot be redirected in ${family === 'ipv4' ? 'IPv4' : 'IPv6'}: ${tried.join('; ')}. NET_ADMIN is needed, and iptables`);
}

const families = (hasIpv6: boolean): readonly Family[] => (hasIpv6 ? ['ipv4', 'ipv6'] : ['ipv4']);
const programs = (family: Family): readonly string[] => KINDS.map((kind: Kind) => `${PROGRAMS[family]}${kind === '' ? '' : `-${kind}`}`);

/** `undefined`: the program is not there, or the kernel has no such filter, or it may not be looked at. */
function foundBy(program: string, run: RunTool): Record<ChainKey, Found> | undefined {
  const listed = (table: 'nat' | 'filter'): readonly string[] | undefined => {
    const said = run(program, ['--wait', '5', '-t', table, '-S']);
    return said?.ok === true ? said.output.split('\n') : undefined;
  };
  const [nat, filter] = [listed('nat'), listed('filter')];
  if (nat === undefined || filter === undefined) return undefined;
  const found = (key: ChainKey): Found => {
    const { name, table, from } = CHAINS[key];
    const lines = table === 'nat' ? nat : filter;
    return {
      jumps: lines.filter((line) => line === `-A ${from} -j ${name}`).length,
      hasChain: lines.includes(`-N ${name}`),
      redirects: lines.some((line) => line.startsWith(`-A ${name} `) && line.includes('-j REDIRECT')),
    };
  };
  return { redirect: found('redirect'), refuse: found('refuse'), reach: found('reach') };
}
