import type { Json } from '../state/journal.ts';

/** What happened, for whoever tells it on: pages, notifications. */
export type DaemonEvent =
  | {
      readonly kind: 'verdict-changed';
      readonly change: 'raised' | 'cleared';
      readonly code: string;
      /** Which of several: the observer, the job, the name. */
      readonly subject?: string;
      readonly severity: 'ok' | 'info' | 'warning' | 'critical';
      readonly sentence: string;
      /** Whether somebody should be told (docs/verdicts.md). */
      readonly notify: boolean;
      readonly atMs: number;
    }
  | {
      /** What automatic mode would do, or why it does nothing, is not what it was. */
      readonly kind: 'decision-changed';
      readonly decision: 'act' | 'advise' | 'wait' | 'idle';
      readonly sentence: string;
      readonly reasons: readonly { readonly code: string; readonly message: string }[];
      readonly atMs: number;
    }
  | {
      /** A failover was prepared, and a person is asked to begin it. */
      readonly kind: 'failover-proposed';
      readonly from: string;
      readonly to: string;
      readonly sentence: string;
      /** The command that begins it. */
      readonly command: string;
      readonly blockers: readonly { readonly code: string; readonly message: string }[];
      readonly atMs: number;
    }
  | {
      /** A drill is due soon, and begins only when a person agrees. */
      readonly kind: 'drill-announced';
      readonly slot: string;
      readonly sentence: string;
      /** The command by which he does. */
      readonly command: string;
      readonly atMs: number;
    }
  | {
      /** A drill that was due did not take place. */
      readonly kind: 'drill-skipped';
      readonly slot: string;
      readonly code: string;
      readonly sentence: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'run-started';
      readonly run: string;
      readonly runbook: string;
      readonly by: string;
      readonly reason?: string;
      readonly from?: string;
      readonly to?: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'step-ended';
      readonly run: string;
      readonly step: string;
      readonly title: string;
      readonly status: 'done' | 'already' | 'failed' | 'refused' | 'compensated';
      readonly ms: number;
      readonly atMs: number;
    }
  | {
      readonly kind: 'run-ended';
      readonly run: string;
      readonly runbook: string;
      readonly outcome: 'done' | 'failed' | 'refused' | 'interrupted';
      readonly rtoMs?: number;
      /** The report, as `argus runs show --json` has it. */
      readonly report?: Json;
      readonly atMs: number;
    };

/** An event with its place in the daemon's sequence, which begins anew with each start. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: DaemonEvent;
}

/** Hands events on inside one daemon. Nobody who listens can hold up or break who tells. */
export interface EventHub {
  emit(event: DaemonEvent): void;
  /** Tells each later event, until the returned function is called. */
  subscribe(listener: (numbered: NumberedEvent) => void): () => void;
  /** The newest events after this id, the oldest first: some hundreds at most are kept. */
  after(id: number): readonly NumberedEvent[];
}

const kept = 500;

/** A hub without listeners. */
export function eventHub(onListenerError: (error: unknown) => void = () => undefined): EventHub {
  const listeners = new Set<(numbered: NumberedEvent) => void>();
  const recent: NumberedEvent[] = [];
  let id = 0;
  return {
    emit(event) {
      id += 1;
      const numbered = { id, event };
      recent.push(numbered);
      if (recent.length > kept) recent.shift();
      for (const listener of [...listeners]) {
        try {
          listener(numbered);
        } catch (error) {
          onListenerError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    after: (after) => recent.filter((e) => e.id > after),
  };
}
