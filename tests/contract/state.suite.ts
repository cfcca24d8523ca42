import { describe, expect, test } from 'vitest';
import type { Clock } from '../../domain/clock.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Step } from '../../runbooks/engine/step.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';
import { confirmFreeze, firstFrozen, freezeInForce, noteFencing, requestFreeze, thaw } from '../../state/freeze.ts';
import { listRuns, openJournal, readRun, runId } from '../../state/journal.ts';
import { acquireLease, type Lease, readLease } from '../../state/lease.ts';
import { keepMirrorProducer, readMirrorProducer } from '../../state/mirror-producer.ts';
import { ensureRoles, readRoles, readRolesOf, writeRoles } from '../../state/roles.ts';
import { foldRun } from '../../state/run-record.ts';
import { afterFailure, putSighting, readSighting, type Sighting } from '../../state/sightings.ts';

const request = { holder: 'me@here', purpose: 'failover', ttlMs: 10_000, waitMs: 0 };

/** The state's rules, over a store of any kind. `empty` gives a store without objects, `clock` one for each test. */
export function stateSuite(name: string, empty: () => Promise<ObjectStore>, clock: () => Clock): void {
  describe(`state in ${name}`, () => {
    test('one of 32 contenders gets the lease', async () => {
      const store = await empty();
      const answers = await Promise.all(
        Array.from({ length: 32 }, (_, i) => acquireLease(store, { ...request, holder: `h${i}` }, clock())),
      );
      const winners = answers.flatMap((a) => (a.kind === 'acquired' ? [a.lease] : []));
      expect(winners).toHaveLength(1);
      expect(await readLease(store)).toMatchObject({ epoch: 1, holder: winners[0]!.document.holder });
      for (const answer of answers) {
        if (answer.kind === 'held') expect(answer.by.holder).toBe(winners[0]!.document.holder);
      }
    });

    test('of two operators who start at the same moment, 200 times, exactly one acts', {
      timeout: 120_000,
    }, async () => {
      const store = await empty();
      const round = async (n: number) => {
        // Each pair of operators has a state of its own.
        const state: ObjectStore = {
          ...store,
          get: (key, options) => store.get(`${n}/${key}`, options),
          put: (key, body, options) => store.put(`${n}/${key}`, body, options),
          list: async (prefix, options) => {
            const { objects, prefixes } = await store.list(`${n}/${prefix}`, options);
            const own = (key: string) => key.slice(`${n}/`.length);
            return { objects: objects.map((o) => ({ ...o, key: own(o.key) })), prefixes: prefixes.map(own) };
          },
        };
        const acted: string[] = [];
        const operators = await Promise.allSettled(
          ['a', 'b'].map((who, i) =>
            runUnderLease<null, object>({
              state,
              clock: clock(),
              run: `20261121T10300${i}Z-failover-000${i}`,
              runbook: 'failover',
              holder: who,
              by: who,
              details: null,
              resumeHint: 'again',
              plannedAtLease: 'none',
              context: () => null,
              steps: [actingStep(() => acted.push(who))],
            }),
          ),
        );
        const refusals = operators.flatMap((o) => (o.status === 'rejected' ? [o.reason] : []));
        expect({ acted: acted.length, refused: refusals.length }).toEqual({ acted: 1, refused: 1 });
        expect(refusals[0]).toMatchObject({ code: expect.stringMatching(/^(LeaseHeld|AnotherActed)$/), exitCode: 3 });
      };
      for (let n = 0; n < 200; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => round(n + i)));
    });

    test('a released lease is taken at once, by one, with the next epoch', async () => {
      const store = await empty();
      await (await take(store, clock())).release();
      const again = await Promise.all(Array.from({ length: 8 }, () => acquireLease(store, request, clock())));
      const winners = again.flatMap((a) => (a.kind === 'acquired' ? [a.lease.epoch] : []));
      expect(winners).toEqual([2]);
    });

    test('the lease of a process that is gone is taken at once, by one; of one that lives, by nobody', async () => {
      const store = await empty();
      const process = { system: 'here', pid: 7, started: '70' };
      await acquireLease(store, { ...request, process }, clock());
      const contend = (isGone: boolean) =>
        Promise.all(
          Array.from({ length: 8 }, () => acquireLease(store, { ...request, isGone: () => isGone }, clock())),
        );
      const epochs = (answers: Awaited<ReturnType<typeof contend>>) =>
        answers.flatMap((a) => (a.kind === 'acquired' ? [a.lease.epoch] : []));
      expect(epochs(await contend(false))).toEqual([]);
      expect(epochs(await contend(true))).toEqual([2]);
      expect((await readLease(store))?.process, 'the one before is not named any more').toBeUndefined();
    });

    test('roles are written once per epoch, and the highest is in force', async () => {
      const store = await empty();
      const first = { primary: 'mumbai', standby: 'singapore', atMs: 1, by: 'a' };
      const both = await Promise.all([ensureRoles(store, first), ensureRoles(store, { ...first, by: 'b' })]);
      expect(both[0]).toEqual(both[1]);
      const next = { ...both[0]!, epoch: 2, primary: 'singapore', standby: 'mumbai' };
      const promotedAt = [{ topic: 'events', partition: 0, offset: '12' }];
      expect(await writeRoles(store, { ...next, replication: 'suspended', promotedAt })).toBe('written');
      expect(await writeRoles(store, { ...next, by: 'late' })).toBe('exists');
      expect(await readRoles(store)).toEqual({ ...next, replication: 'suspended', promotedAt });
      expect(await readRolesOf(store, 1)).toEqual(both[0]);
    });

    test('a journal is read back in order, and nobody else writes into it', async () => {
      const store = await empty();
      const run = runId(Date.UTC(2026, 10, 21, 10, 30), 'failover', '0a1b');
      expect(run).toBe('20261121T103000Z-failover-0a1b');
      const journal = openJournal(store, { run, epoch: 3 }, clock());
      await journal.append({ kind: 'run-started', runbook: 'failover', by: 'me', details: { rolesEpoch: 1 } });
      await journal.append({ kind: 'step-started', step: 'promote' });
      const other = openJournal(store, { run, epoch: 4 }, clock());
      const intruding = other.append({ kind: 'step-started', step: 'promote' });
      await expect(intruding).rejects.toMatchObject({ code: 'JournalConflict' });
      await journal.append({ kind: 'step-finished', step: 'promote', status: 'done', ms: 5, evidence: { epoch: 2 } });
      const entries = await readRun(store, run);
      expect(entries.map((e) => [e.seq, e.epoch, e.fact.kind])).toEqual([
        [1, 3, 'run-started'],
        [2, 3, 'step-started'],
        [3, 3, 'step-finished'],
      ]);
      expect(foldRun(entries)).toMatchObject({ run, status: 'running', steps: [{ id: 'promote', status: 'done' }] });
      expect(await listRuns(store)).toEqual([run]);
      expect(await readRun(store, 'no-such-run')).toEqual([]);
    });

    test('a freeze holds under its roles until a thaw of its epoch or a later one', async () => {
      const store = await empty();
      const freeze = { run: 'r', rolesEpoch: 1, atMs: 1, drainMs: 0 };
      expect(await freezeInForce(store, 1)).toBeUndefined();
      await requestFreeze(store, { ...freeze, epoch: 4 });
      await requestFreeze(store, { ...freeze, epoch: 6 });
      expect(await freezeInForce(store, 1)).toMatchObject({ epoch: 6 });
      expect(await freezeInForce(store, 2)).toBeUndefined();
      await thaw(store, { run: 'r', epoch: 6, atMs: 2, reason: 'gave up' });
      expect(await freezeInForce(store, 1)).toBeUndefined();
      await requestFreeze(store, { ...freeze, epoch: 7 });
      expect(await freezeInForce(store, 1)).toMatchObject({ epoch: 7 });
    });

    test('the first confirmation of a freeze is believed, and the first freeze tells where data ended', async () => {
      const store = await empty();
      const freeze = { run: 'r', rolesEpoch: 1, atMs: 1, drainMs: 0 };
      const at = (offset: bigint) => [{ topic: 'events', partition: 0, offset }];
      await requestFreeze(store, { ...freeze, epoch: 4 });
      const mine = { epoch: 4, atMs: 2, drained: true, by: 'mirror' as const, endOffsets: at(2n ** 60n) };
      expect(await confirmFreeze(store, mine)).toEqual(mine);
      expect(await confirmFreeze(store, { ...mine, by: 'failover', endOffsets: at(9n) })).toEqual(mine);
      await requestFreeze(store, { ...freeze, epoch: 5 });
      await confirmFreeze(store, { ...mine, epoch: 5, endOffsets: at(9n) });
      expect((await firstFrozen(store, 1))?.frozen).toEqual(mine);
      expect(await firstFrozen(store, 2)).toBeUndefined();
      expect(await noteFencing(store, 1, at(7n))).toEqual({ first: true, endOffsets: at(7n) });
      expect(await noteFencing(store, 1, at(8n))).toEqual({ first: false, endOffsets: at(7n) });
    });

    test('one mirror producer is kept per epoch of roles', async () => {
      const store = await empty();
      const producer = { transactionalId: 'argus-mirror-singapore-1-ab', producerId: 2n ** 53n + 1n, producerEpoch: 0 };
      const others = [producer, { ...producer, transactionalId: 'argus-mirror-singapore-1-cd' }];
      const kept = await Promise.all(others.map((p) => keepMirrorProducer(store, 1, p)));
      expect(kept[0]).toEqual(kept[1]);
      expect(await readMirrorProducer(store, 1)).toEqual(kept[0]);
      expect(await readMirrorProducer(store, 2)).toBeUndefined();
    });

    test('a sighting keeps what was seen while the region is dark', async () => {
      const store = await empty();
      expect(await readSighting(store, 'mumbai')).toBeUndefined();
      await putSighting(store, sighting);
      await putSighting(store, afterFailure(afterFailure(sighting, 2_000), 3_000));
      expect(await readSighting(store, 'mumbai')).toEqual({
        ...sighting,
        checkedAtMs: 3_000,
        firstFailureAtMs: 2_000,
      });
    });

    test.each([
      ['roles/0000000002', () => readRoles],
      ['lease', () => readLease],
      ['sightings/mumbai', () => (s: ObjectStore) => readSighting(s, 'mumbai')],
      ['freeze/0000000001', () => (s: ObjectStore) => freezeInForce(s, 1)],
      ['mirror-producer/0000000001', () => (s: ObjectStore) => readMirrorProducer(s, 1)],
    ])('a corrupt %s is named, and needs a person', async (key, reader) => {
      for (const text of ['{', '{}', '[]', '{"epoch": "2"}']) {
        const store = await empty();
        await store.put(key, Buffer.from(text));
        await expect(reader()(store)).rejects.toMatchObject({ code: 'StateCorrupt', key, exitCode: 4 });
      }
    });
  });
}

function actingStep(act: () => void): Step<null, object> {
  return {
    id: 'act',
    title: 'act',
    timeoutMs: 30_000,
    onFailure: { kind: 'stop', hint: 'mend it' },
    manual: [],
    observe: async () => ({ kind: 'todo' }),
    act: async () => act(),
    verify: async () => ({ kind: 'done', evidence: null }),
  };
}

const sighting: Sighting = {
  region: 'mumbai',
  atMs: 1_000,
  topics: {
    events: {
      recordsPerSecond: 200,
      partitions: [
        {
          partition: 0,
          logStartOffset: 0n,
          logEndOffset: 2n ** 60n,
          mirroredEndOffset: 90n,
          newestTimestampMs: 990,
          mirroredTimestampMs: null,
        },
      ],
    },
  },
};

async function take(store: ObjectStore, clock: Clock): Promise<Lease> {
  const answer = await acquireLease(store, request, clock);
  if (answer.kind !== 'acquired') throw new Error(`held by ${answer.by.holder}`);
  return answer.lease;
}
