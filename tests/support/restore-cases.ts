import type { FlinkChoice } from '../../lab/setup/flink-releases.ts';

/** One kind of job settings, and how its checkpoints are told from others' by their handles (handle-kinds.ts). */
export interface RestoreCase {
  readonly name: string;
  readonly settings: FlinkChoice['settings'];
  /** What each checkpoint that Flink writes with them is made of; `channel`: of either kind. */
  readonly has: readonly string[];
  readonly hasNot: readonly string[];
}

const settings: FlinkChoice['settings'] = { 'execution.checkpointing.interval': '3s' };

/** The settings whose checkpoints Argus moves: all from rewritten URIs, those of a changelog from a copy besides. */
export const restoreCases: readonly RestoreCase[] = [
  {
    name: 'HashMap',
    settings: { ...settings, 'state.backend.type': 'hashmap' },
    has: ['keyed 12', 'stream 6'],
    hasNot: ['keyed 11', 'stream 2', 'stream 15', 'channel'],
  },
  {
    name: 'RocksDB, not incremental',
    settings: { ...settings, 'execution.checkpointing.incremental': false },
    has: ['keyed 11', 'stream 6'],
    hasNot: ['stream 2', 'stream 15', 'channel'],
  },
  {
    name: 'RocksDB, incremental',
    settings,
    has: ['keyed 11', 'stream 2', 'stream 6'],
    hasNot: ['stream 15', 'channel'],
  },
  {
    name: 'unaligned',
    settings: {
      ...settings,
      'execution.checkpointing.unaligned.enabled': true,
      'execution.checkpointing.aligned-checkpoint-timeout': '0ms',
      // Records wait in a buffer for so long: at each barrier some are in flight.
      'execution.buffer-timeout.interval': '2s',
    },
    has: ['keyed 11', 'stream 2', 'channel'],
    hasNot: ['stream 15'],
  },
  {
    name: 'file merging',
    settings: { ...settings, 'execution.checkpointing.file-merging.enabled': true },
    has: ['stream 15', 'operator 17'],
    hasNot: ['channel'],
  },
  {
    name: 'changelog',
    settings: {
      ...settings,
      'state.changelog.enabled': true,
      'state.changelog.periodic-materialize.interval': '8s',
    },
    has: ['keyed 14', 'stream 2'],
    hasNot: ['stream 15', 'channel'],
  },
];

/** The case of this name. */
export function restoreCase(name: string): RestoreCase {
  const found = restoreCases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return found;
}
