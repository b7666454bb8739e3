import type { BudgetPolicy, ProviderPolicy, RulePolicy, TransformPolicy, WorkloadSnapshot } from '../../core/policy/index.ts';
import { formatNanoUsd } from '../../core/units/index.ts';

const BLANK = '[redacted]';

/**
 * A snapshot for people to read, ready for JSON. A route's own header values, body fields and system prompt are left
 * out: operators put credentials and prompts there.
 */
export function describeSnapshot(snapshot: WorkloadSnapshot): object {
  return {
    version: snapshot.version,
    workload: snapshot.workload,
    providers: [...snapshot.providers.values()].map(describeProvider),
    rules: snapshot.rules.map(describeRule),
    budgets: snapshot.budgets.map(describeBudget),
    aliases: Object.fromEntries(snapshot.aliases),
    hosts: snapshot.hosts,
  };
}

function describeProvider(provider: ProviderPolicy): object {
  const { id, type, baseUrl, caCertificates, key, models, unknownPrice, timeouts, retries, circuitBreaker, outlierDetection } = provider;
  return {
    id,
    type,
    baseUrl: `${baseUrl.tls ? 'https' : 'http'}://${baseUrl.host}:${baseUrl.port}${baseUrl.basePath}`,
    trusts: caCertificates === undefined ? 'public authorities' : 'its own authorities',
    takesKey: key !== undefined,
    models: [...models.values()].map(({ name, price, contextWindow, maxOutputTokens }) => ({
      name,
      priceSource: price?.source ?? 'unknown',
      inputUsdPerMillion: price === undefined ? undefined : formatNanoUsd(price.input),
      outputUsdPerMillion: price === undefined ? undefined : formatNanoUsd(price.output),
      contextWindow,
      maxOutputTokens,
    })),
    unknownPrice,
    timeouts,
    retries,
    circuitBreaker,
    outlierDetection,
  };
}

function describeRule(rule: RulePolicy): object {
  const { id, match, backends, sticky, transform, limits } = rule;
  const headers = match.headers.map(({ name }) => ({ name, value: BLANK }));
  return { id, match: { ...match, headers }, backends, sticky, transform: describeTransform(transform), limits };
}

function describeTransform(transform: TransformPolicy): object {
  const { systemPrompt, headers, body, defaultMaxOutputTokens, maxOutputTokens } = transform;
  return {
    systemPrompt: systemPrompt === undefined ? undefined : BLANK,
    defaultMaxOutputTokens,
    maxOutputTokens,
    headers: { set: headers.set.map(([name]) => [name, BLANK]), add: headers.add.map(([name]) => [name, BLANK]), remove: headers.remove },
    body: { set: Object.fromEntries(Object.keys(body.set).map((name) => [name, BLANK])), remove: body.remove },
  };
}

function describeBudget(budget: BudgetPolicy): object {
  const limit = budget.unit === 'usd' ? formatNanoUsd(budget.limit) : budget.limit.toString();
  return { ...budget, limit, headers: budget.headers.map(({ name }) => ({ name, value: BLANK })) };
}
