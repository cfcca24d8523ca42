import type { Config } from '../../domain/config.ts';

/** Sections that a running daemon takes over. */
export const reloadable = ['notify', 'probes', 'alerts'] as const;
/** Sections that only runs use: the daemon's own take what is in force when they begin. */
const readByRuns = ['contacts', 'hooks'] as const;

export type Reload =
  | { readonly kind: 'apply'; readonly changed: readonly string[] }
  /** Nothing of it is applied: half a configuration is none that anybody has looked at. */
  | { readonly kind: 'needs-restart'; readonly changed: readonly string[] };

/** Whether a new configuration can be taken over by a daemon that runs with another one. Pure. */
export function decideReload(before: Config, after: Config): Reload {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Config)[];
  const changed = keys.filter((key) => partOf(before, key) !== partOf(after, key));
  const soft: readonly string[] = [...reloadable, ...readByRuns];
  const hard = changed.filter((key) => !soft.includes(key));
  if (hard.length > 0) return { kind: 'needs-restart', changed: hard };
  const level = before.daemon.logLevel === after.daemon.logLevel ? [] : ['daemon.logLevel'];
  return { kind: 'apply', changed: [...changed, ...level] };
}

function partOf(config: Config, key: keyof Config): string {
  // Which topics a pattern means is followed by itself.
  if (key === 'topics' && config.topicPatterns !== undefined) return '';
  if (key === 'daemon') return textOf({ ...config.daemon, logLevel: undefined });
  return textOf(config[key]);
}

/** The same for the same values, in whatever order the file has them. */
function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, v: unknown) =>
      typeof v === 'object' && v !== null && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : typeof v === 'bigint'
          ? v.toString()
          : v,
    ) ?? ''
  );
}
