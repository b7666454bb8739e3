import { streamMethod } from '../wire/index.ts';

const SERVICE = 'airmesh.ledger.v1.Ledger';

/** The service of ledger.proto. */
export const LEDGER_METHODS = { Hold: streamMethod(SERVICE, 'Hold'), Record: streamMethod(SERVICE, 'Record') };
