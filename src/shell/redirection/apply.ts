import { CHAINS, redirectionRules, removalOf } from '../../core/redirection/index.ts';
import type { Family, RedirectionSettings } from '../../core/redirection/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { RunTool } from './tool.ts';

/** The kernel's two packet filters, the newer one first, and what a machine has that does not say which. */
const KINDS = ['nft', 'legacy', ''] as const;
type Kind = (typeof KINDS)[number];

const PROGRAMS: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };
const TABLES = ['nat', 'filter'] as const;

export interface Redirected {
  /** Which program did it, by IP version. */
  readonly by: Readonly<Partial<Record<Family, string>>>;
}

/** What there is of ours in one table. */
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
      if (present === undefined || !TABLES.some((table) => present[table].hasChain)) continue;
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
    const rules = redirectionRules(family, settings, { nat: present.nat.jumps === 0, filter: present.filter.jumps === 0 });
    const applied = run(`${program}-restore`, ['--noflush', '--wait', '5'], rules);
    if (applied?.ok !== true) {
      tried.push(`${program}: ${applied?.fault ?? 'is not there'}`);
      continue;
    }
    const after = foundBy(program, run);
    if (after !== undefined && after.nat.jumps > 0 && after.nat.redirects && after.filter.jumps > 0) return ok(program);
    tried.push(`${program} took the rules, but the jump to ${CHAINS.nat} is not there`);
  }
  return err(`connections cannot be redirected in ${family === 'ipv4' ? 'IPv4' : 'IPv6'}: ${tried.join('; ')}. NET_ADMIN is needed, and iptables`);
}

const families = (hasIpv6: boolean): readonly Family[] => (hasIpv6 ? ['ipv4', 'ipv6'] : ['ipv4']);
const programs = (family: Family): readonly string[] => KINDS.map((kind: Kind) => `${PROGRAMS[family]}${kind === '' ? '' : `-${kind}`}`);

/** `undefined`: the program is not there, or the kernel has no such filter, or it may not be looked at. */
function foundBy(program: string, run: RunTool): Record<(typeof TABLES)[number], Found> | undefined {
  const found: Partial<Record<(typeof TABLES)[number], Found>> = {};
  for (const table of TABLES) {
    const listed = run(program, ['--wait', '5', '-t', table, '-S']);
    if (listed?.ok !== true) return undefined;
    const lines = listed.output.split('\n');
    const chain = CHAINS[table];
    found[table] = {
      jumps: lines.filter((line) => line === `-A OUTPUT -j ${chain}`).length,
      hasChain: lines.includes(`-N ${chain}`),
      redirects: lines.some((line) => line.startsWith(`-A ${chain} `) && line.includes('-j REDIRECT')),
    };
  }
  const { nat, filter } = found;
  return nat === undefined || filter === undefined ? undefined : { nat, filter };
}
