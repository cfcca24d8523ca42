import type { Clock } from '../domain/clock.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { RunEvent } from '../runbooks/engine/run.ts';
import type { LocalProcesses } from '../runbooks/engine/under-lease.ts';
import type { Occasion } from '../runbooks/occasion.ts';
import type { DrillTrigger } from './drill-report.ts';

/** What every drill is begun with: by whom and why, and who is told how it goes. */
export interface OrderedDrill {
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly run: string;
  /** `user@host`, process id. */
  readonly by: string;
  readonly processes?: LocalProcesses | undefined;
  readonly trigger: DrillTrigger;
  readonly occasion: Occasion;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Called while another's lease is watched for signs of life. */
  readonly onWaiting?: (message: string) => void;
}
