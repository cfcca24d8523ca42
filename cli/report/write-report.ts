import { writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { keyIdText, readSecretKey, type SecretKey, signBytes } from '../../drills/report/seal/minisign.ts';
import { type SealedJournal, sealJson, sealText } from '../../drills/report/seal/seal.ts';
import { type LoadedConfig, resolveSecret } from '../config/load.ts';
import type { CommandContext } from '../context.ts';

/** How a report is wanted. */
export interface ReportFormat {
  readonly html?: boolean;
  readonly markdown?: boolean;
  readonly out?: string;
}

/** A report in its three forms; each is made when it is asked for. */
export interface Written {
  /** For the name of what is signed. */
  readonly subject: string;
  readonly model: { readonly format: string };
  readonly journal: SealedJournal;
  html(): Promise<string>;
  markdown(): Promise<string>;
}

type Form = 'html' | 'markdown' | 'json';

/** Prints a report, or writes it with its signature beside it, in the form that was asked for. */
export async function writeReport(
  context: CommandContext,
  { config, folder }: Pick<LoadedConfig, 'config' | 'folder'>,
  options: ReportFormat,
  report: Written,
): Promise<void> {
  const form = formOf(options, context.json);
  const reference = config.reports.key;
  const key = reference && readSecretKey(await resolveSecret(reference, folder, context.env));
  const comment = `${report.subject} made:${new Date(context.clock.now()).toISOString()}`;
  const text = await sealed(form, report, key === '' ? undefined : key, comment);
  if (options.out === undefined) return context.print(text);
  const files = [
    { path: options.out, text },
    ...(key
      ? [
          {
            path: `${options.out}.minisig`,
            text: signBytes(Buffer.from(text), key, `${comment} file:${basename(options.out)}`),
          },
        ]
      : []),
  ];
  for (const file of files) await put(file.path, file.text);
  const how = key
    ? `signed with key ${keyIdText(key)}, also in ${options.out}.minisig`
    : 'signed by nobody: set reports.key';
  if (context.json) context.print(JSON.stringify({ out: options.out, form, signed: key ? keyIdText(key) : null }));
  else context.print(`the report is in ${options.out}, ${how}`);
}

async function sealed(form: Form, report: Written, key: SecretKey | undefined, comment: string): Promise<string> {
  if (form === 'json') return sealJson(report.model, key, comment);
  if (form === 'html') return sealText(await report.html(), report.journal, key, comment);
  const { entries: _, ...without } = report.journal;
  return sealText(await report.markdown(), without, key, comment);
}

function formOf({ html, markdown, out }: ReportFormat, json: boolean): Form {
  if (html && markdown) throw new ArgusError('Usage', '--html and --markdown are two reports', { exitCode: 2 });
  if (html) return 'html';
  if (markdown) return 'markdown';
  const named = ({ '.html': 'html', '.htm': 'html', '.md': 'markdown', '.json': 'json' } as const)[
    extname(out ?? '').toLowerCase() as '.html'
  ] as Form | undefined;
  if (named !== undefined) return named;
  return json ? 'json' : out === undefined ? 'markdown' : 'html';
}

async function put(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new ArgusError('ReportNotWritten', `${path} can't be written: ${describeError(cause)}`, {
      cause,
      exitCode: 2,
    });
  }
}
