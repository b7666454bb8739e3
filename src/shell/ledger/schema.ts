import { schemasOf } from '../wire/index.ts';

/** A thousand slices with what belongs to them, several times over. */
const MAX_PARTS = 20_000;

/** The messages of ledger.proto, by name. */
export const schema = schemasOf('airmesh/ledger/v1/ledger.proto', 'airmesh.ledger.v1', MAX_PARTS);
