import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ReportModel } from '../model.ts';
import { asWritten, type SecretKey, signBytes } from './minisign.ts';

/** What a file says of the journal that it is made from. */
export interface SealedJournal {
  readonly run: string;
  readonly head?: { readonly seq: number; readonly sha256: string };
  /** Whole entries; absent: the file has none inside. */
  readonly entries?: readonly unknown[];
}

/** A report's file, taken apart. Nothing of it is believed yet. */
export interface OpenedFile {
  /** All bytes before the seal. */
  readonly body: Buffer;
  readonly sha256: string;
  /** A signature of `body`. */
  readonly signature?: string;
  readonly journal: SealedJournal | undefined;
}

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const jsonSeal = /,"seal":\{"sha256":"([0-9a-f]{64})"(?:,"minisign":"((?:[\x20-!#-[\]-~]|\\n)*)")?\}\}\n$/;
const textSeal = /\nsha256: ([0-9a-f]{64})\n(?:minisign:\n((?:[^\n]*\n){4}))?-->\n$/;
const about = /\n<!-- argus-report\nrun: (\S+)\n(?:head: (\d+) ([0-9a-f]{64})\n)?(?:journal: ([A-Za-z0-9+/=]+)\n)?$/;

/** Whether the bytes before a seal are those that it was made for. Pure. */
export const isWhole = ({ body, sha256 }: OpenedFile): boolean => sha256Of(body) === sha256;

/** A report as a line of JSON, with its hash and, where there is a key, its signature at its end. */
export function sealJson(model: { readonly format: string }, key: SecretKey | undefined, comment: string): string {
  const body = Buffer.from(JSON.stringify(model).slice(0, -1));
  const seal = { sha256: sha256Of(body), ...(key === undefined ? {} : { minisign: signBytes(body, key, comment) }) };
  return `${body.toString()},"seal":${JSON.stringify(seal)}}\n`;
}

/** HTML or Markdown with the same behind it in a comment; `whole`: with the journal's entries as well. */
export function sealText(
  text: string,
  { run, head, entries }: SealedJournal,
  key: SecretKey | undefined,
  comment: string,
): string {
  const lines = [
    `${text}`,
    '<!-- argus-report',
    `run: ${run}`,
    ...(head === undefined ? [] : [`head: ${head.seq} ${head.sha256}`]),
    ...(entries === undefined ? [] : [`journal: ${deflateRawSync(JSON.stringify(entries)).toString('base64')}`]),
    '',
  ];
  const body = Buffer.from(lines.join('\n'));
  const signature = key === undefined ? '' : `minisign:\n${signBytes(body, key, comment)}`;
  return `${body.toString()}sha256: ${sha256Of(body)}\n${signature}-->\n`;
}

/** Takes a report's file apart; undefined: it doesn't end as one does. Pure. */
export function openFile(bytes: Buffer): OpenedFile | undefined {
  const text = bytes.toString('latin1');
  const json = jsonSeal.exec(text);
  if (json !== null) {
    const signature = json[2]?.replaceAll('\\n', '\n');
    return opened(bytes.subarray(0, json.index), json[1] ?? '', signature, journalInJson);
  }
  const end = textSeal.exec(text);
  if (end === null) return undefined;
  // The line break before the hash belongs to what it is of.
  return opened(bytes.subarray(0, end.index + 1), end[1] ?? '', end[2], journalInText);
}

function opened(
  body: Buffer,
  sha256: string,
  signature: string | undefined,
  journalIn: (body: Buffer) => SealedJournal | undefined,
): OpenedFile | undefined {
  if (signature !== undefined && !asWritten(signature)) return undefined;
  return { body, sha256, journal: journalIn(body), ...(signature === undefined ? {} : { signature }) };
}

function journalInJson(body: Buffer): SealedJournal | undefined {
  try {
    const { run, journal } = JSON.parse(`${body.toString()}}`) as Partial<ReportModel>;
    if (run === undefined || journal === undefined) return undefined;
    return { run, entries: journal.entries, ...(journal.head === undefined ? {} : { head: journal.head }) };
  } catch {
    // Changed: its hash says so.
    return undefined;
  }
}

function journalInText(body: Buffer): SealedJournal | undefined {
  const found = about.exec(body.toString('latin1'));
  if (found === null) return undefined;
  const [, run = '', seq, sha256, packed] = found;
  try {
    const entries =
      packed === undefined
        ? undefined
        : (JSON.parse(
            inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: 64 << 20 }).toString(),
          ) as unknown[]);
    return {
      run,
      ...(seq === undefined || sha256 === undefined ? {} : { head: { seq: Number(seq), sha256 } }),
      ...(entries === undefined ? {} : { entries }),
    };
  } catch {
    return undefined;
  }
}
