import { ArgusError } from '../domain/errors.ts';
import type { TopicPartition } from '../domain/offsets.ts';
import type { Region } from '../regions/region.ts';
import type { RescueOrigin } from '../replication/orphans/orphan-record.ts';
import type { OrphanStore } from '../replication/orphans/orphan-store.ts';
import { listRescued, type Rescued } from '../state/rescued.ts';
import type { Composition } from './compose.ts';

/** The orphans that a command is about, and where they are kept. */
export interface ChosenOrphans {
  readonly rescued: Rescued;
  readonly origin: RescueOrigin;
  /** The region that keeps them. */
  readonly keeper: Region;
  /** Partitions with something kept, of the wanted topic or all. */
  readonly partitions: readonly TopicPartition[];
  readonly store: OrphanStore;
}

/** Finds what was asked for: of one promotion, or the newest. `OrphansUnknown` (exit code 2) when there is none such. */
export async function chooseOrphans(
  { state, regions }: Composition,
  wanted: { readonly topic?: string; readonly promotion?: number },
  signal: AbortSignal,
): Promise<ChosenOrphans> {
  const [{ regionOf }, { openOrphanStore }] = await Promise.all([
    import('../daemon/region-of.ts'),
    import('../runbooks/failback/join-orphans.ts'),
  ]);
  const all = await listRescued(state, { signal });
  const rescued = wanted.promotion === undefined ? all.at(-1) : all.find((each) => each.promotion === wanted.promotion);
  if (rescued === undefined) {
    const what = wanted.promotion === undefined ? 'no orphans were ever kept' : `none of promotion ${wanted.promotion}`;
    throw unknown(what);
  }
  const topics = Object.entries(rescued.topics).filter(([name]) => wanted.topic === undefined || name === wanted.topic);
  if (topics.length === 0) throw unknown(`none of topic "${wanted.topic ?? ''}" of promotion ${rescued.promotion}`);
  const keeper = regionOf(regions, rescued.keptBy);
  return {
    rescued,
    origin: { region: rescued.region, promotion: rescued.promotion },
    keeper,
    partitions: topics.flatMap(([topic, { partitions }]) => partitions.map(({ partition }) => ({ topic, partition }))),
    store: openOrphanStore(keeper, rescued.to, rescued.promotion),
  };
}

const unknown = (what: string) =>
  new ArgusError('OrphansUnknown', `there are no such orphans: ${what}`, {
    exitCode: 2,
    hint: '`argus orphans list` shows them',
  });
