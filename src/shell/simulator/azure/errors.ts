import type { Failure } from '../api.ts';

/** What Azure's gateway says; what the model behind it says has OpenAI's shape. */
export const azureError = (status: number, code: string, message: string): Failure => ({ status, body: { error: { code, message } } });

/** A filter result in which nothing was found. */
export const SAFE = {
  hate: { filtered: false, severity: 'safe' },
  self_harm: { filtered: false, severity: 'safe' },
  sexual: { filtered: false, severity: 'safe' },
  violence: { filtered: false, severity: 'safe' },
};

/** Its content filter answers for a prompt before the model does. Source: Azure OpenAI, "Content filtering", error response. */
export const PROMPT_FILTERED: Failure = {
  status: 400,
  body: {
    error: {
      message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { ...SAFE, violence: { filtered: true, severity: 'medium' } } },
    },
  },
};
