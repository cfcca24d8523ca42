import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import type { MirrorTool } from './mirror-tool.ts';
import { endProcess, type Stage, startNode } from './stage.ts';

export interface ArgusMirrorOptions {
  /** Of the engine, where it differs from its defaults. */
  readonly tuning?: Readonly<Record<string, number>>;
  /** Folder for a CPU profile of each run. */
  readonly profileDir?: string | undefined;
}

let runs = 0;

/** Argus' mirror in a process of its own, as the daemon runs it. */
export function argusMirror(stage: Stage, options: ArgusMirrorOptions): MirrorTool {
  return {
    name: 'Argus',
    copiesMarkers: true,
    async start({ source, target, sourceAddress, topics }) {
      const admin = new PlatformaticAdmin({ region: target.name, bootstrap: [target.address], deadlineMs: 60_000 });
      const producer = await admin
        .initProducer(`argus-bench-${++runs}`, { signal: stage.signal })
        .finally(() => admin.close());
      const settings = {
        source: { name: source.name, bootstrap: [sourceAddress] },
        target: { name: target.name, bootstrap: [target.address] },
        // Thousands of partitions one by one would be too long for an argument.
        topics,
        producerId: producer.producerId.toString(),
        producerEpoch: producer.producerEpoch,
        ...(options.tuning && { tuning: options.tuning }),
      };
      const flags = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`] : [];
      const mirror = startNode(stage, 'argus-mirror-process', settings, flags);
      return { pid: mirror.pid, stop: () => endProcess(mirror.pid) };
    },
  };
}
