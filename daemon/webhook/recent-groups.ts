import { createHash } from 'node:crypto';
import type { AlertMessage } from './alertmanager.ts';

/** What was heard of groups of alerts lately; bounded. */
export interface RecentGroups {
  /** Whether this is what the group said the last time, too. */
  see(message: AlertMessage): 'news' | 'repeat';
  /** Whether this action was taken for the group a moment ago. What was longer ago another daemon may have heard the end of. */
  answered(groupKey: string, action: string, monotonicMs: number): boolean;
  note(groupKey: string, action: string, monotonicMs: number): void;
  forget(groupKey: string): void;
}

const momentMs = 60_000;

/** Remembers so many groups, by hashes; the ones heard longest ago are forgotten first. */
export function recentGroups(atMost = 2_000): RecentGroups {
  const said = new Map<string, string>();
  const actions = new Map<string, ReadonlyMap<string, number>>();
  return {
    see(message) {
      const group = hash(message.groupKey);
      const alerts = message.alerts.map((a) => `${a.fingerprint} ${a.status}`).sort();
      const says = hash([message.status, ...alerts].join('\n'));
      const before = said.get(group);
      keep(said, group, says, atMost);
      return before === says ? 'repeat' : 'news';
    },
    answered(groupKey, action, monotonicMs) {
      const atMs = actions.get(hash(groupKey))?.get(action);
      return atMs !== undefined && monotonicMs - atMs < momentMs;
    },
    note(groupKey, action, monotonicMs) {
      const group = hash(groupKey);
      keep(actions, group, new Map([...(actions.get(group) ?? []), [action, monotonicMs]]), atMost);
    },
    forget: (groupKey) => void actions.delete(hash(groupKey)),
  };
}

function keep<T>(map: Map<string, T>, key: string, value: T, atMost: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= atMost) return;
    map.delete(oldest);
  }
}

const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
