/**
 * Answers: what was answered before, given again to whoever asks the same.
 *
 * Owns how many answers are kept, how long, and who waits for one on its way. Must never keep a question (only its digest),
 * write anything to disk, or show what it holds.
 */
export { AnswerMemory, MAX_KEPT_BYTES, MAX_WAITING } from './memory.ts';
