import { randomBytes } from 'node:crypto';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { prepareTopics } from '../replication/topics/prepare-topics.ts';
import { keepMirrorProducer, type MirrorProducer, readMirrorProducer } from '../state/mirror-producer.ts';
import type { Direction } from './decide-replication.ts';
import type { Log } from './log.ts';
import type { MirrorSettings } from './mirror-ipc.ts';

export interface OpenMirrorParts {
  readonly state: ObjectStore;
  readonly source: Region;
  readonly target: Region;
  readonly topics: readonly string[];
  readonly log: Log;
}

/**
 * Makes the standby's topics and the mirror's identity, both kept when they exist; gives what the mirror is started with.
 * A topic that can't be mirrored is told by name and holds up no other; it is an error when none is left.
 */
export async function prepareMirror(
  parts: OpenMirrorParts,
  direction: Direction,
  signal: AbortSignal,
): Promise<MirrorSettings> {
  const { source, target, topics, state } = parts;
  const { partitions, refused, warnings } = await prepareTopics(source, target, topics, { signal });
  if (partitions.length === 0 && refused[0]) throw refused[0];
  for (const { code, message, hint } of refused)
    parts.log.error({ code, ...(hint === undefined ? {} : { hint }) }, message);
  for (const warning of warnings) parts.log.warn({}, warning);
  const producer = await mirrorProducer(state, target, direction, signal);
  return {
    source: source.brokers,
    target: target.brokers,
    partitions,
    producer,
  };
}

/**
 * The producer of these roles. It is asked for once and then kept: asking again would raise its epoch, and the brokers
 * would want its sequences from 0.
 */
async function mirrorProducer(
  state: ObjectStore,
  target: Region,
  direction: Direction,
  signal: AbortSignal,
): Promise<MirrorProducer> {
  const kept = await readMirrorProducer(state, direction.rolesEpoch, { signal });
  if (kept) return kept;
  const transactionalId = `argus-mirror-${target.name}-${direction.rolesEpoch}-${randomBytes(4).toString('hex')}`;
  const made = await target.kafka.initProducer(transactionalId, { signal });
  return keepMirrorProducer(state, direction.rolesEpoch, { transactionalId, ...made }, { signal });
}
