import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { type ActingWatch, unlessActed } from '../state/acting-watch.ts';
import { confirmFreeze, freezeInForce, readFrozen } from '../state/freeze.ts';
import { readRoles } from '../state/roles.ts';
import {
  decideReplication,
  decideWithoutState,
  type FreezeFacts,
  type ReplicationOrder,
} from './decide-replication.ts';
import type { Log } from './log.ts';
import type { Replicator, Stopped } from './replicator.ts';
import { every } from './supervise.ts';

export type FreezeOrder = Extract<ReplicationOrder, { readonly kind: 'freeze' }>;

/** What is started and stopped by the roles. */
export interface FollowedReplicator extends Omit<Replicator, 'freeze'> {
  freeze(order: FreezeOrder, drainMs: number): Promise<Stopped | undefined>;
}

export interface FollowOptions {
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly replicator: FollowedReplicator;
  /** Writes the confirmation of a freeze; false for a process that is only a part of replication. */
  readonly confirms: boolean;
  /** What a freeze means to such a process, instead of a stop. Told again and again while it is in force. */
  readonly onFreeze?: (order: FreezeOrder) => Promise<void>;
  /** Told of every order, also of one that stays the same. */
  readonly onOrder?: (order: ReplicationOrder, roles: Roles | undefined) => void;
  readonly pollMs?: number;
  /** While nobody acts, roles and freezes are not read again. Absent: they are, each time. */
  readonly acting?: ActingWatch;
  /** What was logged already of the order in force. */
  readonly said?: string;
  /** How long replication goes on while the state can't be read. */
  readonly graceMs?: number;
}

/** Keeps replication as the roles and freezes of the state demand, until the signal; stops it then. */
export async function followRoles(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { state, clock, log, replicator } = options;
  const { pollMs = 500, graceMs = 60_000 } = options;
  let said = options.said ?? '';
  let readableAt = clock.monotonic();
  const read = unlessActed<Followed>(
    // The first roles are written without the lease, and so is the confirmation of a freeze, maybe by this process.
    { acting: options.acting, clock, keeps: (f) => f.roles !== undefined && f.freeze?.confirmed !== false },
    async (call) => {
      const roles = await readRoles(state, call);
      return { roles, freeze: roles && (await readFreeze(state, roles.epoch, call)) };
    },
  );
  const say = (order: ReplicationOrder) => {
    const text = orderSentence(order);
    if (text !== said) log.info({ order: order.kind }, text);
    said = text;
  };

  async function tick(): Promise<void> {
    let roles: Roles | undefined;
    let freeze: FreezeFacts | undefined;
    try {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
      ({ roles, freeze } = await read(call));
      readableAt = clock.monotonic();
    } catch (error) {
      if (signal.aborted) return;
      const verdict = decideWithoutState(replicator.running !== undefined, clock.monotonic() - readableAt, graceMs);
      const text = `the state can't be read: ${describeError(error)}`;
      if (said !== text) log.warn({ replication: verdict }, text);
      said = text;
      if (verdict === 'stop' && replicator.running) await replicator.stop();
      return;
    }
    const order = decideReplication(roles, freeze);
    options.onOrder?.(order, roles);
    say(order);
    switch (order.kind) {
      case 'run': {
        const now = replicator.running;
        if (now && now.rolesEpoch !== order.rolesEpoch) await replicator.stop();
        if (!replicator.running && !signal.aborted) replicator.start(order);
        return;
      }
      case 'freeze':
        return freezeNow(order);
      case 'frozen':
      case 'idle':
        if (replicator.running) await replicator.stop();
        return;
      default:
        order satisfies never;
    }
  }

  /** What each freeze gave, so that a confirmation that could not be written is written later; undefined: no proof. */
  const stops = new Map<number, Stopped | undefined>();

  async function freezeNow(order: FreezeOrder): Promise<void> {
    if (!options.confirms) return options.onFreeze ? options.onFreeze(order) : replicator.stop();
    if (!stops.has(order.epoch)) {
      stops.set(order.epoch, await replicator.freeze(order, order.drainMs));
      if (!stops.get(order.epoch)) log.warn({ run: order.run }, 'stopped without proof: the failover has to fence');
    }
    const stopped = stops.get(order.epoch);
    if (!stopped) return;
    const frozen = { epoch: order.epoch, atMs: clock.now(), drained: stopped.drained, by: 'mirror' as const };
    try {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) };
      const open = stopped.openTransactions ?? [];
      const document = {
        ...frozen,
        endOffsets: [...stopped.endOffsets],
        ...(open.length > 0 && { openTransactions: [...open] }),
      };
      const inForce = await confirmFreeze(state, document, call);
      log.info({ run: order.run, drained: stopped.drained, by: inForce.by }, 'replication is frozen');
    } catch (error) {
      log.warn({ run: order.run }, `the confirmation can't be written yet: ${describeError(error)}`);
    }
  }

  try {
    await every(pollMs, tick, clock, signal);
  } finally {
    await replicator.stop();
  }
}

interface Followed {
  readonly roles: Roles | undefined;
  readonly freeze: FreezeFacts | undefined;
}

async function readFreeze(state: ObjectStore, rolesEpoch: number, call: CallOptions): Promise<FreezeFacts | undefined> {
  const request = await freezeInForce(state, rolesEpoch, call);
  if (!request) return undefined;
  const { epoch, run, drainMs } = request;
  return { epoch, run, drainMs, confirmed: (await readFrozen(state, epoch, call)) !== undefined };
}

/** What an order means, for people. */
export function orderSentence(order: ReplicationOrder): string {
  switch (order.kind) {
    case 'run':
      return `replicating from ${order.source} to ${order.target}`;
    case 'freeze':
      return `freezing replication for ${order.run}`;
    case 'frozen':
      return `replication stays frozen by ${order.run}`;
    case 'idle':
      return `not replicating: ${order.why}`;
    default:
      return order satisfies never;
  }
}
