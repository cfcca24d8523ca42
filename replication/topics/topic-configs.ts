/** What a standby's topic takes over from the source's, unless the configuration names others. */
export const followedConfigs: readonly string[] = [
  'cleanup.policy',
  'delete.retention.ms',
  'max.compaction.lag.ms',
  'max.message.bytes',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'retention.bytes',
  'retention.ms',
  'segment.bytes',
  'segment.jitter.ms',
  'segment.ms',
];

/** The mirror's own: with others, the standby would rewrite or refuse batches. */
export function isMirrorsOwn(key: string): boolean {
  return key === 'compression.type' || key.startsWith('message.timestamp.');
}

/** The keys to set on the standby's topic so that it is as the source's. Pure. */
export function configChanges(
  source: ReadonlyMap<string, string>,
  standby: ReadonlyMap<string, string>,
  keys: readonly string[] = followedConfigs,
): Readonly<Record<string, string>> {
  const changes: Record<string, string> = {};
  for (const key of keys) {
    const value = source.get(key);
    if (value !== undefined && !isMirrorsOwn(key) && standby.get(key) !== value) changes[key] = value;
  }
  return changes;
}
