import { readFile } from 'node:fs/promises';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { type PublicKey, readPublicKey, readSecretKey } from '../../drills/report/seal/minisign.ts';
import { stateFault, type Verified, verifyFile } from '../../drills/report/seal/verify.ts';
import { stateOfRun } from '../../state/drills.ts';
import { inspectLinkedRun } from '../../state/journal.ts';
import { type LoadedConfig, resolveSecret } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

type Whole = Extract<Verified, { readonly kind: 'whole' }>;

/** `argus report verify <file>`: exit code 0 whole, 3 changed. Works without a configuration; with one the state is asked, too. */
export async function run(
  context: CommandContext,
  options: { readonly file: string; readonly publicKey?: string },
): Promise<number> {
  const bytes = await read(options.file);
  const detached = await readFile(`${options.file}.minisig`, 'utf8').catch(() => undefined);
  const loaded = await configuration(context);
  const key = await keyFor(context, options.publicKey, loaded);
  const verified = verifyFile(bytes, { key, detached });
  if (verified.kind === 'changed') throw changed(options.file, verified.why);
  const state = loaded === undefined || verified.run === undefined ? undefined : await besideState(context, verified);
  if (state?.kind === 'differs') throw changed(options.file, `the state tells another story: ${state.why}`);
  context.print(
    context.json
      ? JSON.stringify({ file: options.file, ...verified, state: state ?? { kind: 'not-asked' } })
      : [`${options.file} is whole: no byte was changed`, ...told(verified), ...stateText(state)].join('\n'),
  );
  return 0;
}

const changed = (file: string, why: string) =>
  new ArgusError('ReportChanged', `${file} can't be believed: ${why}`, {
    exitCode: 3,
    hint: 'make it anew from the journal: argus report show RUN --out FILE',
  });

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ArgusError('ReportMissing', `${file} can't be read: ${describeError(cause)}`, { cause, exitCode: 2 });
  }
}

/** Who checks a report may have none; one that is there and wrong is told. */
async function configuration(context: CommandContext): Promise<LoadedConfig | undefined> {
  try {
    return await context.loadConfig();
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'ConfigMissing') return undefined;
    throw error;
  }
}

/** The key that was given, else the configuration's public one, else that of its secret one where it can be read. */
async function keyFor(
  context: CommandContext,
  given: string | undefined,
  loaded: LoadedConfig | undefined,
): Promise<PublicKey | undefined> {
  if (given !== undefined) return readPublicKey(given.startsWith('RW') ? given : (await read(given)).toString('utf8'));
  if (loaded === undefined) return undefined;
  const { publicKey, key } = loaded.config.reports;
  const secret = (reference: string) => resolveSecret(reference, loaded.folder, context.env);
  if (publicKey !== undefined) return readPublicKey(publicKey.startsWith('RW') ? publicKey : await secret(publicKey));
  if (key === undefined) return undefined;
  // Who checks need not be who signs: without the secret there is no key to check by.
  return secret(key).then(readSecretKey, () => undefined);
}

type StateSays = { readonly kind: 'same' } | { readonly kind: 'differs' | 'not-read'; readonly why: string };

async function besideState(context: CommandContext, { run, head }: Whole): Promise<StateSays | undefined> {
  if (run === undefined || head === undefined) return undefined;
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(15_000)]);
    const there = await withState(context, (state) => inspectLinkedRun(stateOfRun(state, run), run, { signal }));
    const why = stateFault({ head }, there);
    return why === undefined ? { kind: 'same' } : { kind: 'differs', why };
  } catch (error) {
    context.signal.throwIfAborted();
    return { kind: 'not-read', why: describeError(error) };
  }
}

function told({ signature, entries, head }: Whole): readonly string[] {
  const who =
    signature.kind === 'none'
      ? 'signed by nobody: whoever changed it could have made its hash anew'
      : signature.kind === 'unchecked'
        ? `signed with key ${signature.keyId}, which nobody vouches for: give --public-key`
        : `signed with key ${signature.keyId}: ${signature.comment}`;
  const journal =
    entries !== undefined
      ? `the journal inside is as it was written: ${entries} entries, the last ${head?.sha256 ?? ''}`
      : head === undefined
        ? 'no journal with hashes is inside'
        : `made from a journal that ends with ${head.sha256}, which is not inside`;
  return [who, journal];
}

function stateText(state: StateSays | undefined): readonly string[] {
  if (state === undefined) return [];
  switch (state.kind) {
    case 'same':
      return ['the state has the same journal'];
    case 'not-read':
      return [`it was not compared with the state: ${state.why}`];
    default:
      return [];
  }
}
