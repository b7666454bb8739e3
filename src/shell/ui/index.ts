/**
 * The page that people open: who spends what, where budgets stand, and what becomes of each resource.
 *
 * Owns its words, its tables and its style. Made whole on the server, without a script, so that what runs in a browser is
 * nothing. Must never know where figures are kept, and is never given keys or prompts.
 */
export { dashboardOf, overviewOf } from './overview.ts';
export type { OverviewSources, ResourceRow } from './overview.ts';
