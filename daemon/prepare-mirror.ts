import { randomBytes } from 'node:crypto';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import { keepMirrorProducer, type MirrorProducer, readMirrorProducer } from '../state/mirror-producer.ts';
import type { Direction } from './decide-replication.ts';

import type { MirrorSettings } from './mirror-ipc.ts';

export interface OpenMirrorParts {
  readonly state: ObjectStore;
  readonly source: Region;
  readonly target: Region;
  /** What it is to mirror; the topics exist on both sides. */
  readonly following: Following;
}

/** Makes the mirror's identity, kept when it exists; gives what the mirror is started with. */
export async function prepareMirror(
  parts: OpenMirrorParts,
  direction: Direction,
  signal: AbortSignal,
): Promise<MirrorSettings> {
  const { source, target, following, state } = parts;
  const producer = await mirrorProducer(state, target, direction, signal);
  return { source: source.brokers, target: target.brokers, ...following, producer };
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
