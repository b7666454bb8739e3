import type { BudgetMode, BudgetPolicy, BudgetSubject, BudgetUnit, BudgetWindow } from '../../../core/policy/index.ts';
import { amount, child, count, counts, list, misfit, name, oneOf, optionalChild, texts } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { rawPairs, readPairs } from './pairs.ts';

const MAX_ENTRIES = 1_000;

type Calendar = Extract<BudgetWindow, { kind: 'calendar' }>;

const UNITS: Readonly<Record<BudgetUnit, true>> = { usd: true, tokens: true, requests: true };
const MODES: Readonly<Record<BudgetMode, true>> = { Strict: true, Bounded: true, Observe: true };
const NEAR_LIMITS: Readonly<Record<BudgetPolicy['nearLimit'], true>> = { Shrink: true, Reject: true, CutStream: true };
const CALENDAR_UNITS: Readonly<Record<Calendar['unit'], true>> = { minute: true, hour: true, day: true, week: true, month: true };
const SUBJECTS: Readonly<Record<BudgetSubject['kind'], true>> = {
  workload: true,
  namespace: true,
  serviceAccount: true,
  model: true,
  provider: true,
  header: true,
};

export function rawBudget({ limit, window: { kind, ...window }, headers, ...budget }: BudgetPolicy): Raw {
  return { ...budget, limit: String(limit), window: { [kind]: window }, headers: rawPairs(headers.map(({ name: header, value }) => [header, value])) };
}

export function readBudget(raw: Raw): BudgetPolicy {
  return {
    id: name(raw, 'id'),
    unit: oneOf(raw, 'unit', UNITS),
    limit: amount(raw, 'limit'),
    window: child(raw, 'window', readWindow),
    mode: oneOf(raw, 'mode', MODES),
    nearLimit: oneOf(raw, 'nearLimit', NEAR_LIMITS),
    floorOutputTokens: count(raw, 'floorOutputTokens'),
    waitMs: count(raw, 'waitMs'),
    alerts: counts(raw, 'alerts', MAX_ENTRIES),
    per: list(raw, 'per', MAX_ENTRIES, readSubject),
    models: texts(raw, 'models', MAX_ENTRIES),
    providers: texts(raw, 'providers', MAX_ENTRIES),
    headers: readPairs(raw, 'headers', MAX_ENTRIES).map(([header, value]) => ({ name: header, value })),
  };
}

function readWindow(raw: Raw): BudgetWindow {
  return (
    optionalChild(raw, 'calendar', readCalendar) ??
    optionalChild(raw, 'rolling', (rolling): BudgetWindow => ({ kind: 'rolling', durationMs: count(rolling, 'durationMs') })) ??
    optionalChild(raw, 'lifetime', (): BudgetWindow => ({ kind: 'lifetime' })) ??
    misfit('', 'is of no kind that is known here; it may come from a newer version')
  );
}

function readCalendar(raw: Raw): Calendar {
  return { kind: 'calendar', unit: oneOf(raw, 'unit', CALENDAR_UNITS), timeZone: name(raw, 'timeZone') };
}

function readSubject(raw: Raw): BudgetSubject {
  const kind = oneOf(raw, 'kind', SUBJECTS);
  return kind === 'header' ? { kind, name: name(raw, 'name') } : { kind };
}
