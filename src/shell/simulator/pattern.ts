/** Repetitions of what may be repeated without end. */
const SOME = 1;

/**
 * A text that a regular expression of the plain kind accepts: literals, classes, groups, alternatives (the first) and
 * quantifiers (the least). `undefined` where that does not succeed.
 */
export function textMatching(pattern: string): string | undefined {
  const expression = compile(pattern);
  if (expression === undefined) return undefined;
  const text = new PatternReader(pattern).alternatives();
  return expression.test(text) ? text : undefined;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

const ESCAPED: Readonly<Record<string, string>> = { d: '0', D: 'm', w: 'm', W: '-', s: ' ', S: 'm', n: '\n', t: '\t', b: '', B: '' };

class PatternReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  alternatives(): string {
    let first: string | undefined;
    for (;;) {
      const text = this.#sequence();
      first ??= text;
      if (this.#pattern[this.#at] !== '|') return first;
      this.#at++;
    }
  }

  #sequence(): string {
    let text = '';
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at] ?? '')) {
      const unit = this.#unit();
      text += unit.repeat(this.#times());
    }
    return text;
  }

  #unit(): string {
    const character = this.#pattern[this.#at++] ?? '';
    switch (character) {
      case '(': {
        this.#at += /^\?(?::|<[^>=!]*>|[=!]|<[=!])/.exec(this.#pattern.slice(this.#at))?.[0].length ?? 0;
        const inside = this.alternatives();
        this.#at++;
        return inside;
      }
      case '[':
        return this.#characterClass();
      case '\\': {
        const escaped = this.#pattern[this.#at++] ?? '';
        return ESCAPED[escaped] ?? escaped;
      }
      case '.':
        return 'm';
      case '^':
      case '$':
        return '';
      default:
        return character;
    }
  }

  #characterClass(): string {
    const end = this.#pattern.indexOf(']', this.#at + 1);
    const inside = this.#pattern.slice(this.#at, end);
    this.#at = end + 1;
    if (inside.startsWith('^')) return ['m', '0', '-', ' '].find((candidate) => compile(`^[${inside}]$`)?.test(candidate) === true) ?? '';
    return inside.startsWith('\\') ? (ESCAPED[inside[1] ?? ''] ?? inside[1] ?? '') : (inside[0] ?? '');
  }

  #times(): number {
    const [quantifier, least] = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (quantifier === undefined) return 1;
    this.#at += quantifier.length;
    if (least !== undefined) return Number(least);
    return quantifier.startsWith('+') ? SOME : 0;
  }
}
