/**
 * Redirection: applies the rules to this network namespace, checks that they are there, and takes them back.
 *
 * Owns which of the kernel's packet filters is used. Must never know why something is redirected, nor leave half of it behind.
 */
export { redirect, takeBack } from './apply.ts';
export type { Redirected } from './apply.ts';
export { runTool } from './tool.ts';
export type { RunTool, ToolOutcome } from './tool.ts';
