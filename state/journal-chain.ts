import { createHash } from 'node:crypto';

/** An entry with the hash of what came before it and its own. */
export type Sealed<T> = T & { readonly previous: string; readonly sha256: string };

/** The first entry of a journal that is not as it was written. */
export interface ChainFault {
  readonly run: string;
  readonly seq: number;
  readonly key: string;
  readonly why: string;
}

const none = '0'.repeat(64);

/**
 * Chains an entry to the one before it. Pure. The hash is SHA-256 over the entry's JSON without white space, in its own
 * order of fields and without `sha256`: white space in the stored document doesn't matter, everything else does.
 */
export function seal<T extends object>(entry: T, before: { readonly sha256: string } | undefined): Sealed<T> {
  const linked = { ...entry, previous: before?.sha256 ?? none };
  return { ...linked, sha256: hashOf(linked) };
}

/**
 * Why a stored entry is not as it was written; undefined when nothing speaks against it. Pure. `raw` is the document as
 * it lies there, `before` the entry before it. A journal without any hash passes: it can't be checked.
 */
export function chainFault(
  raw: unknown,
  entry: { readonly previous?: string; readonly sha256?: string },
  before: { readonly sha256?: string } | undefined,
): string | undefined {
  if (entry.sha256 === undefined) {
    return before?.sha256 === undefined ? undefined : 'it has no hash, as the entry before it has';
  }
  if (before !== undefined && before.sha256 === undefined) return 'it has a hash, as the entry before it has not';
  if (hashOf(raw as object) !== entry.sha256) return 'its content was changed: its hash is another';
  if (entry.previous !== (before?.sha256 ?? none)) return 'the entry before it is another than when it was written';
  return undefined;
}

function hashOf(document: object): string {
  const { sha256: _, ...content } = JSON.parse(JSON.stringify(document)) as { sha256?: unknown };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
