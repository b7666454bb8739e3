import { schemasOf } from '../wire/index.ts';

/** The messages of ledger.proto, by name. */
export const schema = schemasOf('airmesh/ledger/v1/ledger.proto', 'airmesh.ledger.v1');
