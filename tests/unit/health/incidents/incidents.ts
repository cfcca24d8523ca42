import type { WaitCode } from '../../../../health/decide-automatic.ts';
import type { VerdictCode } from '../../../../health/verdict-table.ts';
import type { Scene } from '../simulated-watch.ts';
import { grayFailures } from './gray-failures.ts';
import { networks } from './networks.ts';
import { outages } from './outages.ts';

/** A story of which it is known how it has to end. Blue is the primary; east stands in it, west in green, far outside. */
export interface Incident extends Scene {
  readonly name: string;
  /** In which second a failover has to begin; absent: none may. */
  readonly acts?: { readonly from: number; readonly to: number };
  readonly verdicts: readonly VerdictCode[];
  readonly never?: readonly VerdictCode[];
  readonly waits?: readonly WaitCode[];
}

export const incidents: readonly Incident[] = [...outages, ...networks, ...grayFailures];
