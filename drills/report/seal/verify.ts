import { checkEntries, type InspectedRun } from '../../../state/journal.ts';
import { keyIdText, type PublicKey, readSignature, signatureFault } from './minisign.ts';
import { isWhole, openFile, type SealedJournal } from './seal.ts';

/** What a report's file is worth. */
export type Verified =
  | { readonly kind: 'changed'; readonly why: string }
  | {
      readonly kind: 'whole';
      readonly run?: string;
      /** `unchecked`: signed, and nobody said by whom it has to be. */
      readonly signature:
        | { readonly kind: 'none' }
        | { readonly kind: 'unchecked'; readonly keyId: string }
        | { readonly kind: 'good'; readonly keyId: string; readonly comment: string };
      /** Of the journal inside: how many entries' hashes were computed anew; absent: there is none inside, or it has no hashes. */
      readonly entries?: number;
      readonly head?: { readonly seq: number; readonly sha256: string };
    };

/** Judges a report's file by itself, by a key, and by a signature that lies beside it. Pure. */
export function verifyFile(
  bytes: Buffer,
  by: { readonly key?: PublicKey | undefined; readonly detached?: string | undefined },
): Verified {
  const file = openFile(bytes);
  if (file === undefined)
    return changed('it does not end as a report of Argus does: it was changed, cut off, or is none');
  if (!isWhole(file)) return changed('its content is not what its hash is of');
  const { key, detached } = by;
  if (key !== undefined && file.signature === undefined && detached === undefined)
    return changed('it is signed by nobody, and a key was given by which it should be');
  if (key !== undefined) {
    const inside = file.signature === undefined ? undefined : signatureFault(file.body, file.signature, key);
    if (inside !== undefined) return changed(inside);
    // An empty one is one that says nothing, and not none.
    const beside = detached === undefined ? undefined : signatureFault(bytes, detached, key);
    if (beside !== undefined) return changed(`the signature beside it: ${beside}`);
  }
  const text = file.signature ?? detached;
  const said = text === undefined ? undefined : readSignature(text);
  const { journal } = file;
  const read = journal?.entries && checkEntries(journal.run, journal.entries);
  const fault = journalFault(journal, read);
  if (fault !== undefined) return changed(fault);
  return {
    kind: 'whole',
    ...(journal === undefined ? {} : { run: journal.run }),
    signature:
      said === undefined
        ? { kind: 'none' }
        : key === undefined
          ? { kind: 'unchecked', keyId: keyIdText(said) }
          : { kind: 'good', keyId: keyIdText(said), comment: said.comment },
    ...(read?.chained && journal?.head !== undefined ? { entries: read.entries.length } : {}),
    ...(journal?.head === undefined ? {} : { head: journal.head }),
  };
}

function journalFault(journal: SealedJournal | undefined, read: InspectedRun | undefined): string | undefined {
  if (journal === undefined || read === undefined) return undefined;
  if (read.fault !== undefined) return `entry ${read.fault.seq} of the journal inside: ${read.fault.why}`;
  const last = read.entries.at(-1);
  const same = journal.head === undefined || (last?.seq === journal.head.seq && last.sha256 === journal.head.sha256);
  return same ? undefined : 'the journal inside ends with another entry than it says';
}

/** Why the state tells another story of the run than a whole file; undefined: it tells the same. Pure. */
export function stateFault(
  { head }: { readonly head?: { readonly seq: number; readonly sha256: string } },
  state: InspectedRun,
): string | undefined {
  if (head === undefined) return undefined;
  const there = state.entries[head.seq - 1];
  if (there === undefined) return state.fault?.why ?? `the state has no entry ${head.seq} of this run`;
  if (there.sha256 !== head.sha256) return `entry ${head.seq} in the state has another hash`;
  // The file was made from this journal, which is not what later runs found.
  const { fault } = state;
  return fault === undefined ? undefined : `entry ${fault.seq}: ${fault.why}`;
}

const changed = (why: string): Verified => ({ kind: 'changed', why });
