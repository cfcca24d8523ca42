import type { Warmth } from '../lab-info.ts';

/** What `npm run demo` leaves behind as `demo-result.json`. Times are milliseconds, counts are records. */
export interface DemoResult {
  readonly scenario: Scenario;
  /** What the standby kept ready for the job; only between clusters. */
  readonly standby?: Warmth;
  readonly rate: number;
  /** Outage → the standby's job has completed a checkpoint of its own, and the name answers with the standby. */
  readonly rtoMs: number;
  /** The longest time in which the traffic client got no acknowledgement. */
  readonly clientOutageMs: number;
  readonly rpo: {
    readonly topics: Readonly<
      Record<string, { readonly estimated: number; readonly counted: number; readonly ms: number }>
    >;
  };
  readonly replayedRecords: number;
  readonly audit: {
    readonly acknowledged: number;
    readonly onStandby: number;
    readonly orphans: number;
    readonly lost: number;
    readonly lostUnknown: number;
    readonly duplicated: number;
    readonly misordered: number;
    readonly flink: { readonly keys: number; readonly wrongCounts: number };
    /** Records of the job's output on the standby that tell the same count of the same key again. */
    readonly outputDuplicates: number;
  };
  readonly steps: readonly { readonly id: string; readonly ms: number }[];
  /** The same disaster once more, on a lab of its own whose standby kept a session cluster. */
  readonly warm?: DemoResult;
}

export type Scenario = 'kill' | 'freeze' | 'partition';

export const scenarios: readonly Scenario[] = ['kill', 'freeze', 'partition'];

/** What the auditor and Argus must agree on; each difference is a sentence. Empty: the failover kept its promises. */
export function disagreements(result: DemoResult): readonly string[] {
  const { audit } = result;
  const counted = Object.values(result.rpo.topics).reduce((sum, topic) => sum + topic.counted, 0);
  const wrong: string[] = [];
  if (counted !== audit.orphans) {
    wrong.push(`Argus counted ${counted} records that the standby never got, the auditor ${audit.orphans}`);
  }
  if (audit.orphans !== audit.lost + audit.lostUnknown) {
    wrong.push(`${audit.orphans} orphans are not ${audit.lost} acknowledged + ${audit.lostUnknown} unanswered ones`);
  }
  if (audit.duplicated !== 0) wrong.push(`${audit.duplicated} records stand twice in the standby's log`);
  if (audit.misordered !== 0) wrong.push(`${audit.misordered} records stand before an earlier one of their key`);
  if (audit.flink.wrongCounts !== 0) {
    wrong.push(`${audit.flink.wrongCounts} of ${audit.flink.keys} keys have a wrong count in the job's output`);
  }
  if (audit.outputDuplicates !== 0) wrong.push(`${audit.outputDuplicates} records stand twice in the job's output`);
  if (audit.flink.keys === 0) wrong.push('the job on the standby has put out nothing');
  return wrong;
}
