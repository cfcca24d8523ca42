import { ArgusError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import type { PreflightPurpose, PreflightVerdict } from '../health/preflight.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Sighting } from '../state/sightings.ts';
import { type Composition, compose, openState } from './compose.ts';
import { type LoadedConfig, pathFrom, resolveSecret } from './config/load.ts';
import type { CommandContext } from './context.ts';
import { resolveTopics } from './resolve-topics.ts';

/** A command's configuration and adapters, closed when the command ends, however it ends. */
export async function withComposition<T>(
  context: CommandContext,
  act: (composition: Composition, loaded: LoadedConfig) => Promise<T>,
): Promise<T> {
  const loaded = await context.loadConfig();
  for (const [name, { kafka }] of Object.entries(loaded.config.regions)) {
    if (kafka.sasl?.mechanism === 'PLAIN' && !kafka.tls)
      context.tell(`warning: the password for ${name}'s Kafka goes over the network readable (PLAIN without TLS)`);
  }
  const composition = await compose(loaded, context.env);
  try {
    const { config, regions, state } = composition;
    const topics = await resolveTopics(config, regions, state, context.signal);
    const resolved = { ...config, topics };
    return await act({ ...composition, config: resolved }, { ...loaded, config: resolved });
  } finally {
    // A region that hangs must not hold the command; the process ends anyway.
    await Promise.race([composition.close(), context.clock.sleep(300)]);
  }
}

/** Only the state, for commands that have to work while both regions are dark. */
export async function withState<T>(
  context: CommandContext,
  act: (state: ObjectStore, loaded: LoadedConfig) => Promise<T>,
): Promise<T> {
  const loaded = await context.loadConfig();
  const secret = (reference: string) => resolveSecret(reference, loaded.folder, context.env);
  const state = await openState(loaded.config, loaded.folder, secret);
  try {
    return await act(state, loaded);
  } finally {
    await Promise.race([state.close(), context.clock.sleep(300)]);
  }
}

/**
 * The roles in force, or those that a first start would write. Changes nothing; a state that can't be read is exit
 * code 2 at least, as every command asks for the roles before it does anything.
 */
export async function rolesNow(context: CommandContext, { state, config }: Composition): Promise<Roles> {
  const { readRoles } = await import('../state/roles.ts');
  const { primary, standby } = config.roles;
  const first: Roles = {
    epoch: 1,
    primary,
    standby,
    replication: 'active',
    atMs: context.clock.now(),
    by: context.who,
  };
  try {
    return (await readRoles(state, { signal: context.signal })) ?? first;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ArgusError) || error.exitCode > 2) throw error;
    const { code, message, hint, retryable, cause } = error;
    throw new ArgusError(code, `the state: ${message}`, {
      cause,
      retryable,
      exitCode: 2,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** To be asked under the lease: refuses (`RolesChanged`, exit code 3) what was agreed to under other roles. */
export async function requireSameRoles(
  context: CommandContext,
  composition: Composition,
  { epoch }: Pick<Roles, 'epoch'>,
): Promise<void> {
  const inForce = await rolesNow(context, composition);
  if (inForce.epoch === epoch) return;
  const { refusal, rolesChanged } = await import('../runbooks/engine/failures.ts');
  throw refusal(rolesChanged(inForce));
}

/** Primary and standby of these roles, and the last sighting of the primary. */
export async function sidesOf(
  context: CommandContext,
  { regions, state }: Composition,
  roles: Pick<Roles, 'primary' | 'standby'>,
): Promise<{ readonly primary: Region; readonly standby: Region; readonly sighting: Sighting | undefined }> {
  const [{ regionOf }, { readSighting }] = await Promise.all([
    import('../daemon/region-of.ts'),
    import('../state/sightings.ts'),
  ]);
  return {
    primary: regionOf(regions, roles.primary),
    standby: regionOf(regions, roles.standby),
    sighting: await readSighting(state, roles.primary, { signal: context.signal }),
  };
}

/** Looks before the command does anything: throws (exit code 2) what stops it, tells what does not. */
export async function preflight(
  context: CommandContext,
  composition: Composition,
  purpose: PreflightPurpose,
  roles: Pick<Roles, 'primary' | 'standby'>,
): Promise<PreflightVerdict> {
  const { preflightError } = await import('../health/preflight.ts');
  const verdict = await lookBefore(context, composition, purpose, roles);
  const error = preflightError(verdict);
  if (error) throw error;
  for (const w of verdict.warnings) context.tell(`warning: ${w.message}`);
  return verdict;
}

/** The same look, without a word. */
export async function lookBefore(
  context: CommandContext,
  composition: Composition,
  purpose: PreflightPurpose,
  roles: Pick<Roles, 'primary' | 'standby'>,
): Promise<PreflightVerdict> {
  const [{ gatherPreflight }, { decidePreflight }] = await Promise.all([
    import('../health/gather-preflight.ts'),
    import('../health/preflight.ts'),
  ]);
  const { config, folder, names } = composition;
  const sides = await sidesOf(context, composition, roles);
  const { clock, signal } = context;
  const verdict = decidePreflight(
    purpose,
    await gatherPreflight({
      purpose,
      config,
      names,
      jars: config.jobs.flatMap(({ name, submit }) =>
        submit ? [{ job: name, path: pathFrom(folder, submit.jar) }] : [],
      ),
      ...sides,
      clock,
      signal,
      ...(purpose === 'failover' ? { primaryDeadlineMs: 2_000 } : {}),
    }),
  );
  signal.throwIfAborted();
  return verdict;
}

/** Refuses (`ReplicationSuspended`, exit code 3) what makes no sense after a promotion, when nothing is replicated. */
export function requireReplication({ replication, primary }: Roles, hint?: string): void {
  if (replication === 'active') return;
  throw new ArgusError('ReplicationSuspended', `replication is suspended since ${primary} was promoted`, {
    exitCode: 3,
    ...(hint === undefined ? {} : { hint }),
  });
}
