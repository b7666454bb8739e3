import type { NeutralMessage } from '../../neutral.ts';
import type { LossLog } from './losses.ts';
import type { BlockWriter, Wire } from './write-content.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly blocks: readonly Wire[];
}

/** The system prompt and the conversation, as Anthropic keeps them apart. */
export interface WrittenConversation {
  /** Blocks of text. */
  readonly system: readonly Wire[];
  readonly messages: readonly Wire[];
}

/**
 * Writes a conversation: system messages in front of it all, consecutive messages of one role as one, results of tools
 * before whatever else their message says. Source: Claude API docs, "Working with messages" and "Handle tool calls".
 */
export function writeConversation(messages: readonly NeutralMessage[], blocks: BlockWriter, losses: LossLog): WrittenConversation {
  const system = messages.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts.flatMap((part) => blocks.systemText(part)));
  noteLosses(messages, losses);
  const turns = prefilled(turnsOf(messages, blocks));
  if (turns.length === 0) return alone(system, losses);
  return { system, messages: turns.map(messageOf) };
}

function noteLosses(messages: readonly NeutralMessage[], losses: LossLog): void {
  const firstTurn = messages.findIndex(({ role }) => role !== 'system');
  for (const [index, { role, name }] of messages.entries()) {
    if (role === 'system' && firstTurn !== -1 && index > firstTurn)
      losses.dropped(`messages[${index}]`, 'Anthropic has one place for system messages, before the conversation; later ones are moved there.');
    if (name !== undefined) losses.dropped(`messages[${index}].name`, 'Anthropic has no names of participants; they are left out.');
  }
}

function turnsOf(messages: readonly NeutralMessage[], blocks: BlockWriter): readonly Turn[] {
  const turns: { readonly role: Turn['role']; readonly blocks: Wire[] }[] = [];
  for (const { role, parts } of messages) {
    if (role === 'system') continue;
    const written = parts.flatMap((part) => blocks.part(part, role));
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...written);
    else if (written.length > 0) turns.push({ role, blocks: written });
  }
  return turns;
}

/** A conversation without a user: what the system was told is what the model is asked. */
function alone(system: readonly Wire[], losses: LossLog): WrittenConversation {
  if (system.length === 0) losses.refused('messages', 'Anthropic takes no empty conversation. Send at least one message with content.');
  else losses.dropped('messages', 'Anthropic wants a message of a user; the system prompt is sent as one.');
  return { system: [], messages: [{ role: 'user', content: system }] };
}

function messageOf({ role, blocks }: Turn): Wire {
  return { role, content: contentOf(role === 'user' ? blocks.toSorted((one, other) => rank(one) - rank(other)) : blocks) };
}

/** Sorting is stable, so that results and the rest stay in their order. */
function rank(block: Wire): number {
  return block['type'] === 'tool_result' ? 0 : 1;
}

/** What the model is to continue must not end in white space. Source: Anthropic's error for it, `final assistant content cannot end with trailing whitespace`. */
function prefilled(turns: readonly Turn[]): readonly Turn[] {
  const last = turns.at(-1);
  const block = last?.blocks.at(-1);
  if (last?.role !== 'assistant' || block?.['type'] !== 'text') return turns;
  const text = String(block['text']).trimEnd();
  const blocks = [...last.blocks.slice(0, -1), ...(text === '' ? [] : [{ ...block, text }])];
  return [...turns.slice(0, -1), ...(blocks.length === 0 ? [] : [{ role: last.role, blocks }])];
}

/** One plain text is written as a string. */
function contentOf(blocks: readonly Wire[]): unknown {
  const [only, ...others] = blocks;
  return only?.['type'] === 'text' && others.length === 0 && only['cache_control'] === undefined ? only['text'] : blocks;
}
