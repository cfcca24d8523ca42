import type { BenchBroker } from './broker.ts';
import type { Shape } from './shapes.ts';

/** What is copied, from where to where. The topic exists on both sides; the standby's is empty. */
export interface CopyTask {
  readonly source: BenchBroker;
  readonly target: BenchBroker;
  /** Where the source is reached: its own address, or a proxy's. */
  readonly sourceAddress: string;
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[];
  /** How the source's batches were made; a mirror that makes its own makes them alike. */
  readonly batches: Pick<Shape, 'compression' | 'batchBytes'>;
  /** Whether single records shall be quick, rather than many records cheap. */
  readonly lowLatency?: boolean;
}

export interface RunningMirror {
  readonly pid: number;
  /** Ends it, and removes what it left beside the topics. */
  stop(): Promise<void>;
}

/** A mirror that is measured. */
export interface MirrorTool {
  readonly name: 'Argus' | 'MirrorMaker 2';
  /** Whether transaction markers, which take an offset each, come to the standby too. */
  readonly copiesMarkers: boolean;
  start(task: CopyTask): Promise<RunningMirror>;
}
