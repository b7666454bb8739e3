import { PLACEHOLDER_KEY, SIDECAR_PORTS } from '../control/index.ts';
import type { ApplicationPart, Contributor } from './addition.ts';
import type { Switch } from './overrides.ts';
import type { Container, EnvironmentVariable } from './pod.ts';

/** A variable that official clients read, and others that say the same: where one of these is set, it is left out. */
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly instead: readonly string[];
}

const API = `http://127.0.0.1:${SIDECAR_PORTS.api}`;

/**
 * Read by `openai`, `@anthropic-ai/sdk` and `@google/genai` for Node (7.57, 1.12 and 3.1) and by the Python clients of the
 * same names. Anthropic's and Google's put their version's path behind it themselves.
 */
const BASE_URLS: readonly Variable[] = [
  // Azure's client reads it as well, and would take it for its resource's own.
  { name: 'OPENAI_BASE_URL', value: `${API}/v1`, instead: ['AZURE_OPENAI_ENDPOINT'] },
  { name: 'ANTHROPIC_BASE_URL', value: API, instead: [] },
  { name: 'GOOGLE_GEMINI_BASE_URL', value: API, instead: [] },
];

const placeholder = (name: string, ...instead: string[]): Variable => ({ name, value: PLACEHOLDER_KEY, instead });

/** Each client refuses to start without one; DeepSeek's is by the convention of its guides, as its client is OpenAI's. */
const PLACEHOLDERS: readonly Variable[] = [
  placeholder('OPENAI_API_KEY'),
  // Where both are set, Anthropic's client takes the key and leaves the token.
  placeholder('ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'),
  // Where both are set, Google's client warns.
  placeholder('GEMINI_API_KEY', 'GOOGLE_API_KEY'),
  placeholder('DEEPSEEK_API_KEY'),
];

export const contributeBaseUrls: Contributor = (_pod, _settings, { baseUrls }) => ({
  application: (container) => variables(container, BASE_URLS, baseUrls, 'base-urls'),
});

export const contributePlaceholderKeys: Contributor = (_pod, _settings, { placeholderKeys }) => ({
  application: (container) => variables(container, PLACEHOLDERS, placeholderKeys, 'placeholder-keys'),
});

function variables(container: Container, wanted: readonly Variable[], setting: Switch, annotation: string): ApplicationPart {
  const nothing: ApplicationPart = { env: [], volumeMounts: [], warnings: [] };
  if (setting === 'disabled') return nothing;
  const present = new Set((container.env ?? []).map(({ name }) => name));
  const env = wanted
    .filter(({ name, instead }) => ![name, ...instead].some((each) => present.has(each)))
    .map(({ name, value }): EnvironmentVariable => ({ name, value }));
  // What is set by name counts before what comes from elsewhere: it might overwrite what cannot be seen here.
  if (env.length > 0 && setting !== 'forced' && (container.envFrom ?? []).length > 0) {
    const names = env.map(({ name }) => name).join(', ');
    return {
      ...nothing,
      warnings: [
        `container ${container.name} may have ${names} from its envFrom, so none is set; if it has none, annotate the pod airmesh.dev/${annotation}: forced`,
      ],
    };
  }
  return { ...nothing, env };
}
