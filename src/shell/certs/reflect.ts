/**
 * @peculiar/x509 comes with a container of dependencies that wants the metadata of decorators to be there, and asks for none.
 * To be imported before it.
 */
const reflect = Reflect as unknown as Record<string, (...parameters: readonly unknown[]) => unknown>;

reflect['getMetadata'] ??= () => undefined;
reflect['getOwnMetadata'] ??= () => undefined;
reflect['defineMetadata'] ??= () => undefined;
reflect['metadata'] ??= () => () => undefined;
