import { describe, expect, it } from 'vitest';
import { redirect, takeBack } from './apply.ts';
import type { RunTool } from './tool.ts';

const SETTINGS = { toPort: 15_401, ports: [80, 443], except: { uid: 1533, gid: 1533 } };

/** A machine whose programs work on tables in memory, far enough for what is asked of them. */
function machine(works: readonly string[], deaf = false) {
  const tables = new Map<string, string[]>();
  const rules = (key: string): string[] => tables.get(key) ?? [];
  const run: RunTool = (program, args, input) => {
    const name = program.replace(/-restore$/, '');
    if (!works.includes(name)) return name.endsWith('-legacy') ? undefined : { ok: false, output: '', fault: 'no such filter' };
    if (input === undefined) return { ok: true, output: ['-P OUTPUT ACCEPT', ...rules(`${name} ${args[3]}`)].join('\n'), fault: '' };
    if (deaf) return { ok: true, output: '', fault: '' };
    let table = '';
    for (const line of input.split('\n')) {
      const key = `${name} ${table}`;
      const present = rules(key);
      if (line.startsWith('*')) table = line.slice(1);
      else if (line.startsWith(':')) {
        const chain = line.slice(1).split(' ', 1)[0] ?? '';
        tables.set(key, [...present.filter((rule) => rule !== `-N ${chain}` && !rule.startsWith(`-A ${chain} `)), `-N ${chain}`]);
      } else if (line.startsWith('-A')) tables.set(key, [...present, line]);
      else if (line.startsWith('-I')) tables.set(key, [line.replace('-I', '-A'), ...present]);
      else if (line.startsWith('-D')) tables.set(key, present.toSpliced(present.indexOf(line.replace('-D', '-A')), 1));
      else if (line.startsWith('-F'))
        tables.set(
          key,
          present.filter((rule) => !rule.startsWith(`-A ${line.slice(3)} `)),
        );
      else if (line.startsWith('-X'))
        tables.set(
          key,
          present.filter((rule) => rule !== `-N ${line.slice(3)}`),
        );
    }
    return { ok: true, output: '', fault: '' };
  };
  return { run, tables, left: () => [...tables.values()].flat() };
}

describe('redirecting', () => {
  it.each([
    [['iptables-nft', 'ip6tables-nft', 'iptables-legacy'], { ipv4: 'iptables-nft', ipv6: 'ip6tables-nft' }],
    [['iptables-legacy', 'ip6tables-legacy'], { ipv4: 'iptables-legacy', ipv6: 'ip6tables-legacy' }],
    [['iptables', 'ip6tables'], { ipv4: 'iptables', ipv6: 'ip6tables' }],
  ])('with %j is done by %j', (works, by) => {
    expect(redirect(SETTINGS, true, machine(works).run)).toEqual({ ok: true, value: { by } });
  });

  it('twice is as once', () => {
    const { run, tables } = machine(['iptables-nft', 'ip6tables-nft']);
    redirect(SETTINGS, true, run);
    const once = structuredClone([...tables]);
    redirect(SETTINGS, true, run);
    expect(new Set(tables.get('iptables-nft nat'))).toEqual(new Set(new Map(once).get('iptables-nft nat')));
    expect(tables.get('iptables-nft nat')?.filter((rule) => rule.startsWith('-A OUTPUT'))).toHaveLength(1);
  });

  it('leaves nothing behind where one IP version cannot be redirected', () => {
    const { run, left } = machine(['iptables-nft']);
    const outcome = redirect(SETTINGS, true, run);
    expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining('IPv6') });
    expect(left()).toEqual([]);
  });

  it('does not take a program at its word', () => {
    expect(redirect(SETTINGS, false, machine(['iptables-nft'], true).run)).toMatchObject({
      ok: false,
      error: expect.stringContaining('a jump to AIRMESH_OUTPUT or AIRMESH_REFUSE is not there'),
    });
  });

  it('is taken back', () => {
    const { run, left } = machine(['iptables-nft', 'ip6tables-nft']);
    redirect(SETTINGS, true, run);
    expect(left().length).toBeGreaterThan(5);
    expect(takeBack(true, run)).toEqual([]);
    expect(left()).toEqual([]);
  });
});
