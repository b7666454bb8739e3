/** A value of which nothing is read, so that nothing is known of it. */
type Unread<T> = unknown extends T ? true : T extends readonly (infer Item)[] ? (unknown extends Item ? true : false) : false;

/**
 * A request as a client sends it: what is left out is left out, not `undefined`, and what is not read is not there. For comparing
 * what is parsed here with the types of the official SDKs, so that a field that they gain, lose or change fails to compile.
 */
export type Sent<T> = T extends readonly (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Name in keyof T as true extends Unread<Exclude<T[Name], undefined | null>> ? never : Name]: Sent<Exclude<T[Name], undefined>> }
    : T;

/** Names that one has and the other has not. */
export type Missing<All, Some> = Exclude<keyof All, keyof Some>;

/** What any member of a union has. */
export type AnyOf<Union> = { [Name in Union extends unknown ? keyof Union : never]: unknown };
