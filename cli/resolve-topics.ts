import type { Config } from '../domain/config.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import { selectNames } from '../domain/name-patterns.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { readFollowedTopics } from '../state/followed-topics.ts';
import { readRoles } from '../state/roles.ts';

const askMs = 3_000;

/**
 * The topics that `topics` in argus.yaml stands for: those that the mirror noted under the roles in force, so that they
 * are known while the primary is dark; before it ever ran, those that the primary has now. Changes nothing.
 */
export async function resolveTopics(
  config: Pick<Config, 'topics' | 'topicPatterns' | 'roles'>,
  regions: ReadonlyMap<string, Region>,
  state: ObjectStore,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const patterns = config.topicPatterns;
  if (!patterns) return config.topics;
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]) };
  let primary = config.roles.primary;
  try {
    const roles = await readRoles(state, call);
    primary = roles?.primary ?? primary;
    const followed = roles && (await readFollowedTopics(state, roles.epoch, call));
    if (followed) return selectNames(Object.keys(followed), patterns).names;
    const there = await regions.get(primary)?.kafka.describeTopics(undefined, call);
    return selectNames(there?.keys() ?? [], patterns).names;
  } catch (error) {
    signal.throwIfAborted();
    throw new ArgusError('TopicsUnknown', `which topics are to be mirrored can't be told: ${describeError(error)}`, {
      cause: error,
      exitCode: 2,
      hint: `no mirror has noted them yet, so ${primary} has to answer; or list them in \`topics\``,
    });
  }
}
