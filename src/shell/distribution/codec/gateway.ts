import type { SidecarState } from '../../../core/control/index.ts';
import type { KnownWorkload, Workload } from '../../../core/policy/index.ts';
import type { Result } from '../../../core/units/index.ts';
import { child, list, misfit, name, optionalChild, optionalText, reading, text, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { rawPairs, readPairs } from './pairs.ts';
import { schema } from './schema.ts';
import { readWorkload } from './snapshot.ts';
import { rawState, readState } from './state.ts';

/** In one message; a gateway that has more to say sends several. */
export const MAX_ENTRIES = 500;
/** Of a pod; Kubernetes knows no limit of their number, only of the whole object. */
const MAX_LABELS = 1_000;

/** What became of a state at a gateway. */
export interface Outcome {
  readonly workload: Workload;
  readonly version: string;
  /** Why it could not be applied; absent: it is. */
  readonly refused?: string;
}

/** What has happened at a gateway since its last report. */
export interface GatewayReport {
  readonly program: string;
  readonly callers: readonly KnownWorkload[];
  readonly left: readonly Workload[];
  readonly outcomes: readonly Outcome[];
}

/** What a controller says to a gateway. */
export type ToGateway =
  | { readonly kind: 'state'; readonly state: SidecarState }
  /** Of this workload a gateway gets nothing, and keeps nothing. */
  | { readonly kind: 'denial'; readonly workload: Workload; readonly reason: string };

/** A state that makes no sense here: whose it is, as far as it says, and what is wrong. */
export interface BadGatewayState {
  readonly kind: 'bad';
  readonly workload: Workload;
  readonly version: string;
  readonly reason: string;
}

const reportSchema = schema('GatewayReport');
const answerSchema = schema('ToGateway');

export function encodeGatewayReport({ program, callers, left, outcomes }: GatewayReport): Buffer {
  return reportSchema.encode({
    program,
    callers: callers.map(({ labels = {}, ...workload }) => ({ workload, labels: rawPairs(new Map(Object.entries(labels))) })),
    left: [...left],
    outcomes: outcomes.map((outcome) => ({ ...outcome })),
  });
}

/** The error names the field and what is wrong with it. */
export function decodeGatewayReport(bytes: Uint8Array): Result<GatewayReport, string> {
  return reportSchema.decode(bytes, (raw) => ({
    program: name(raw, 'program'),
    callers: list(raw, 'callers', MAX_ENTRIES, readCaller),
    left: list(raw, 'left', MAX_ENTRIES, readWorkload),
    outcomes: list(raw, 'outcomes', MAX_ENTRIES, (each) =>
      withoutAbsent<Outcome>({ workload: child(each, 'workload', readWorkload), version: name(each, 'version'), refused: optionalText(each, 'refused') }),
    ),
  }));
}

function readCaller(raw: Raw): KnownWorkload {
  const labels = readPairs(raw, 'labels', MAX_LABELS);
  return { ...child(raw, 'workload', readWorkload), labels: Object.fromEntries(labels) };
}

export function encodeToGateway(answer: ToGateway): Buffer {
  switch (answer.kind) {
    case 'state':
      return answerSchema.encode({ state: rawState(answer.state) });
    case 'denial':
      return answerSchema.encode({ denial: { workload: answer.workload, reason: answer.reason } });
  }
}

/** A state that cannot be used is no error of the stream: it is refused by its name. The error is of bytes that are no message. */
export function decodeToGateway(bytes: Uint8Array): Result<ToGateway | BadGatewayState, string> {
  return answerSchema.decode<ToGateway | BadGatewayState>(
    bytes,
    (raw) =>
      optionalChild(raw, 'state', readStateOrWhy) ??
      optionalChild(raw, 'denial', (denial): ToGateway => ({
        kind: 'denial',
        workload: child(denial, 'workload', readWorkload),
        reason: text(denial, 'reason'),
      })) ??
      misfit('', 'holds no message that is known here'),
  );
}

function readStateOrWhy(raw: Raw): ToGateway | BadGatewayState {
  const state = reading('State', () => readState(raw));
  if (state.ok) return { kind: 'state', state: state.value };
  const workload = reading('State', () => child(raw, 'snapshot', (snapshot) => child(snapshot, 'workload', readWorkload)));
  return { kind: 'bad', workload: workload.ok ? workload.value : { namespace: '', name: '' }, version: text(raw, 'version'), reason: state.error };
}
