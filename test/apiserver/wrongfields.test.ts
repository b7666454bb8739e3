/** Every field of every resource, wrong in turn: what the API server refuses, and what is left for the controller to find. */
import { parseAllDocuments } from 'yaml';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { formatPath } from '../../src/core/policy/index.ts';
import type { Kind } from '../../src/core/policy/index.ts';
import { connect } from '../support/apiserver/client.ts';
import type { Refusal } from '../support/apiserver/client.ts';
import { install, judge, makeNamespace, refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { FORBIDDEN, MARK, NAME_FORM, ROWS, WHOLE, documentForbidden, documentWith, pathOf, places } from '../support/wrong-fields.ts';

const client = connect(inject('apiserver'));

beforeAll(async () => {
  await install(client);
  await makeNamespace(client, 'shop');
});

const withValue = (kind: Kind, at: string, value: unknown): KubernetesObject => {
  const document = documentWith(kind, at);
  document.setIn(pathOf(at), document.createNode(value));
  return document.toJS() as KubernetesObject;
};

const rows = ROWS.map(([kind, at, value, message, path = at]) => ({ kind, at, value, message, path, shown: `${JSON.stringify(value)}`.slice(0, 60) }))
  // JSON has no word for them, so no API server is ever given one.
  .filter(({ value }) => typeof value !== 'number' || Number.isFinite(value));

/** What takes more to judge than the resource, or than a schema can say. The controller finds it, and the status tells. */
const LEFT_TO_THE_CONTROLLER: Readonly<Record<string, readonly string[]>> = {
  'where Airmesh itself listens, only its own process knows': [
    'AIProvider spec.baseUrl: "https://127.0.0.1:4000/v1"',
    'AIProvider spec.baseUrl: "https://127.9.9.9:4000/v1"',
    'AIProvider spec.baseUrl: "https://LocalHost:4000/v1"',
    'AIProvider spec.baseUrl: "https://localhost.:4000/v1"',
    'AIProvider spec.baseUrl: "https://ai.localhost:4010/v1"',
    'AIProvider spec.baseUrl: "https://[::1]:4010/v1"',
    'AIProvider spec.baseUrl: "https://[0:0:0:0:0:0:0:1]:4000/v1"',
    'AIProvider spec.baseUrl: "https://[::ffff:127.0.0.1]:4000/v1"',
    'AIProvider spec.baseUrl: "https://10.0.0.7:4020"',
  ],
  'a list knows its items by their names as they are written': ['AIProvider spec.models: [{"name":"a"},{"name":"A"}]'],
  'certificates are read by who believes them': [
    'AIProvider spec.tls.caCertificates: "-----BEGIN CERTIFICATE-----\\nMIIBtorn\\n-----BEGIN CERTIFICA',
    'AIProvider spec.tls.caCertificates: "-----BEGIN CERTIFICATE-----\\nAAAAezCCASGgAwIBAgIUQvut1QKHmq',
  ],
  'it is about another resource': [
    'AIRoute spec.rules[0].backends[0].provider: "relya"',
    'AIRoute spec.rules[0].backends[0].provider: "other/relay"',
    'AIRoute spec.rules[0].backends[0].model: "house-modle"',
    'AIBudget spec.selector.providers: ["relya"]',
  ],
  'structural schemas do not judge the names of fields': ['AIRoute spec.rules[0].transform.body.set: {"":1}'],
  'time zones are those that are known where it runs': [
    'AIBudget spec.window: {"rolling":"24h","timeZone":"Mars/Olympus"}',
    'AIBudget spec.window.timeZone: "Mars/Olympus"',
  ],
};

const LEFT = Object.values(LEFT_TO_THE_CONTROLLER).flat();
const isLeft = ({ kind, at, shown }: (typeof rows)[number]): boolean => LEFT.includes(`${kind} ${at}: ${shown}`);

/** The fields that a refusal names; of some keywords the server tells the place in its sentence alone. */
const fieldsOf = ({ message, details }: Refusal): string => [...(details?.causes ?? []).map(({ field }) => field), message].join('\n');

/** What stands at a place that the server does not tell apart: a name that is wrong is that of the object, or of the request. */
const isOfTheObject = (path: string): boolean => /^(?:apiVersion|kind|metadata\.)/.test(path);

describe('a value that cannot be', () => {
  const refused = rows.filter((row) => !isLeft(row));

  it.each(refused)('is refused: $kind $at: $shown', async ({ kind, at, value, path }) => {
    const answer = await judge(client, withValue(kind, at, value), kind);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const refusal = refusalOf(answer);
    if (!isOfTheObject(path)) expect(fieldsOf(refusal ?? { kind: 'Status', message: '' })).toContain(path.replace(/\[\d+\]\.name$/, ''));
    expect(JSON.stringify(refusal)).not.toContain('planted-secret');
  });

  it.each(rows.filter(isLeft))('is left to the controller: $kind $at: $shown', async ({ kind, at, value }) => {
    expect(refusalOf(await judge(client, withValue(kind, at, value), kind))?.message).toBeUndefined();
  });

  it('is left to the controller for one of the reasons above only', () => {
    expect(rows.filter(isLeft)).toHaveLength(LEFT.length);
  });
});

describe('each bound of each field', () => {
  /** Structural schemas do not judge the names of fields; the controller does. */
  const isName = ({ why }: (typeof FORBIDDEN)[number]): boolean => why === NAME_FORM;

  it.each(FORBIDDEN.filter((one) => !isName(one)))('is held to: $kind $at: $why $absent', async (one) => {
    const refusal = refusalOf(await judge(client, documentForbidden(one).toJS() as KubernetesObject, one.kind));
    expect(fieldsOf(refusal ?? { kind: 'Status', message: '' })).toContain(one.at);
  });

  it.each(FORBIDDEN.filter(isName))('is left to the controller: $kind $at: $why', async (one) => {
    expect(refusalOf(await judge(client, documentForbidden(one).toJS() as KubernetesObject, one.kind))?.message).toBeUndefined();
  });
});

describe('a rule says what a finding says', () => {
  const SAME =
    /mesh itself|routing, price or metering and cannot|exactly one of|above zero|a second or more|at most 5m|no weight at all|environment variable|needs values|takes none|needs selector|needs workloads/;
  const ruled = rows.filter((row) => SAME.test(row.message.source) && !isLeft(row) && !row.at.endsWith('body.set') && !row.path.startsWith('spec.limit'));

  it.each(ruled)('$kind $at: $shown', async ({ kind, at, value, message, path }) => {
    const causes = refusalOf(await judge(client, withValue(kind, at, value), kind))?.details?.causes ?? [];
    expect(causes.find(({ field }) => field === path)?.message).toMatch(message);
  });

  it('at more than a few places', () => expect(ruled.length).toBeGreaterThan(20));
});

describe('a field of the wrong type', () => {
  it.each(places.filter(({ path }) => path[0] === 'spec'))('is refused: $kind $at', async ({ kind, at, path, schema }) => {
    const wrong = schema.type === 'array' ? { [MARK]: 1 } : schema.properties === undefined ? [MARK] : MARK;
    const refusal = refusalOf(await judge(client, withValue(kind, at, wrong), kind));
    expect(fieldsOf(refusal ?? { kind: 'Status', message: '' })).toContain(formatPath(path));
  });

  const several = places.filter(({ at }) => /usd$|PerMillion$|perRequest$|per\[0\]$/.test(at));

  it.each(several.flatMap((place) => [true, {}, { [MARK]: 1 }, [], [[MARK]]].map((value) => ({ ...place, value, shown: JSON.stringify(value) }))))(
    'is refused where several types are right: $kind $at: $shown',
    async ({ kind, at, value }) => {
      const refusal = refusalOf(await judge(client, withValue(kind, at, value), kind));
      expect(fieldsOf(refusal ?? { kind: 'Status', message: '' })).toContain(at);
    },
  );

  it.each([0.35, 7, '0.35', ' 7 '])('is none where several types are right: dollars as %j', async (value) => {
    expect(refusalOf(await judge(client, withValue('AIBudget', 'spec.limit.usd', value)))?.message).toBeUndefined();
  });
});

describe('a field that nobody knows', () => {
  const objects = places.filter(({ schema, path }) => schema.properties !== undefined && (path.length === 0 || path[0] === 'spec'));

  it.each(objects)('is refused: $kind $at', async ({ kind, at, path }) => {
    const document = documentWith(kind, at);
    document.setIn([...path, MARK], 1);
    const refusal = refusalOf(await judge(client, document.toJS() as KubernetesObject, kind));
    // A list is strictly read item by item; the field that has several types counts its fields.
    expect(refusal?.message).toMatch(new RegExp(`unknown field "${formatPath([...path, MARK]).replaceAll(/[[\]]/g, '\\$&')}"|must have at most 1 item`));
  });
});

it('starts from resources that are right', async () => {
  for (const text of Object.values(WHOLE))
    expect(refusalOf(await judge(client, parseAllDocuments(text)[0]?.toJS() as KubernetesObject))?.message).toBeUndefined();
});
