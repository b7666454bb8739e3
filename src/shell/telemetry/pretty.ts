const LEVEL_COLOURS: Readonly<Record<string, string>> = { debug: '\u001B[2m', info: '\u001B[36m', warn: '\u001B[33m', error: '\u001B[31m' };
const DIM = '\u001B[2m';
const RESET = '\u001B[0m';

/** Characters that would move the cursor or colour the terminal; what was logged may come from outside. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/** Columns that the event's name fills, so that the fields below each other line up. */
const EVENT_WIDTH = 24;

/** One log line, in JSON as pino writes it, as a line for people: time, level, event, fields; a stack below it. */
export function prettyLine(line: string, colour: boolean): string {
  const { level, time, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const paint = (code: string | undefined, text: string): string => (colour && code !== undefined ? `${code}${text}${RESET}` : text);
  const clock = String(time).slice(11, 19);
  const label = String(level);
  const stacks: string[] = [];
  const pairs = Object.entries(fields).map(([name, value]) => `${paint(DIM, `${name}=`)}${fieldText(value, stacks)}`);
  const head = `${paint(DIM, clock)} ${paint(LEVEL_COLOURS[label], label.padEnd(5))} ${clean(String(event)).padEnd(EVENT_WIDTH)} ${pairs.join(' ')}`;
  return `${[head.trimEnd(), ...stacks].join('\n')}\n`;
}

function fieldText(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? clean(value) : clean(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return String(value);
  if (isLoggedError(value)) {
    if (value.stack !== undefined) stacks.push(clean(value.stack.replace(/^/gm, '    ')));
    return clean(JSON.stringify(`${value.type}: ${value.message}`));
  }
  return clean(JSON.stringify(value));
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

function isLoggedError(value: object): value is LoggedError {
  return 'type' in value && 'message' in value && typeof value.type === 'string' && typeof value.message === 'string';
}

function clean(text: string): string {
  return text.replace(CONTROL, '�');
}
