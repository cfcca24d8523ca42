import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failoverStepIds as allStepIds, type FailoverStepId } from '../../../../runbooks/failover/failover-step.ts';
import type { PlanView } from '../../../../runbooks/failover/gather-plan-view.ts';
import { planFailover } from '../../../../runbooks/failover/plan.ts';
import { failoverSteps } from '../../../../runbooks/failover/steps.ts';
import { at, manifest, newWorld, roles } from './world.ts';

/** The standby has a session cluster: there is no operator to be asked; and no drill runs. */
const failoverStepIds: readonly FailoverStepId[] = allStepIds.filter(
  (id) => id !== 'confirm-jobs' && id !== 'end-drill',
);

const known = <T>(value: T) => ({ kind: 'known' as const, value });
const unknown = { kind: 'unknown' as const, why: 'timed out' };
const record = { id: 'r1', name: 'ingest.argus.test', type: 'A' as const, ttlSeconds: 60, proxied: false };

function view(over: Partial<PlanView> = {}, context: Partial<PlanView['context']> = {}): PlanView {
  return {
    context: { ...newWorld().context, epoch: 0, ...context },
    outage: { atMs: 1_000, source: 'operator' },
    nowMs: 2_000,
    resolvers: ['127.0.0.1:5353'],
    primaryJobs: unknown,
    standbyJobs: known([]),
    slots: known({ free: 4, total: 4 }),
    mirroredEnds: known(at(100n, 50n)),
    choices: [{ job: 'counts', choice: known({ kind: 'chosen', point: manifest, rejected: [] }) }],
    records: [{ name: 'ingest.argus.test', records: known([{ ...record, content: '127.0.1.1' }]) }],
    ...over,
  };
}

const claimed = { ...manifest, needsClaim: true };
/** The job, as a FlinkSessionJob in one region. */
const inSession = (region: string) => {
  const kubernetes = { [region]: { namespace: 'data', deployment: 'session', sessionJob: 'counts' } };
  return newWorld().context.jobs.map((job) => ({ ...job, config: { ...job.config, kubernetes } }));
};

describe('the plan of a failover', () => {
  test('has every step in its order, with the point of no return before the first job', () => {
    const plan = planFailover(view());
    expect(plan.blockers).toEqual([]);
    expect(plan.steps.map((s) => s.id)).toEqual(failoverStepIds);
    expect(plan.pointOfNoReturn).toBe('start-jobs');
    const steps = failoverSteps(plan, 0);
    expect(steps.map((s) => s.id)).toEqual(failoverStepIds);
    expect(steps.findIndex((s) => s.pointOfNoReturn)).toBe(failoverStepIds.indexOf(plan.pointOfNoReturn));
  });

  test('gives a command with real values for each step, and no secrets', () => {
    const plan = planFailover(
      view({ primaryJobs: known([{ id: 'ab', name: 'counts', state: 'RUNNING', startedAtMs: 1 }]) }),
    );
    for (const step of plan.steps) expect(step.manual.length, step.id).toBeGreaterThan(0);
    const text = plan.steps.flatMap((s) => s.manual).join('\n');
    for (const value of [
      "curl -fX PATCH 'http://127.0.1.1:8081/jobs/ab?mode=cancel'",
      manifest.replicaUri,
      '/dns_records/r1',
      '{"content":"127.0.2.1"}',
      'dig +short @127.0.0.1 -p 5353 ingest.argus.test A',
      './state/roles/0000000002',
    ]) {
      expect(text).toContain(value);
    }
    expect(text).not.toMatch(/SECRET|env:/);
  });

  describe('the role document that a person would write', () => {
    /** Runs the plan's own lines for steps 2 and 6 in a shell, with a stand-in for Kafka's tool. */
    function written(over: Partial<PlanView>): unknown {
      const dir = mkdtempSync(join(tmpdir(), 'argus-manual-'));
      try {
        mkdirSync(join(dir, 'state/roles'), { recursive: true });
        const { steps } = planFailover(view(over));
        const lines = steps.filter((s) => ['freeze-mirror', 'promote'].includes(s.id)).flatMap((s) => s.manual);
        const tool = `kafka-get-offsets.sh() { printf 'events:0:103\nevents:1:50\n'; }`;
        const script = [tool, ...lines].join('\n').replaceAll('kafka-get-offsets.sh', 'kafka_get_offsets');
        execFileSync('sh', ['-ec', script], { cwd: dir });
        return JSON.parse(readFileSync(join(dir, 'state/roles/0000000002'), 'utf8'));
      } finally {
        rmSync(dir, { recursive: true });
      }
    }
    const document = { epoch: 2, primary: 'singapore', standby: 'mumbai', replication: 'suspended', by: 'by hand' };

    test('has the ends that were noted after the mirror stopped, and the instant of its writing', () => {
      const found = written({}) as { atMs: number };
      expect(found).toMatchObject({
        ...document,
        promotedAt: [
          { topic: 'events', partition: 0, offset: '103' },
          { topic: 'events', partition: 1, offset: '50' },
        ],
      });
      expect(Math.abs(found.atMs - Date.now())).toBeLessThan(60_000);
    });

    test('has the ends at which the mirror was frozen, once it was', () => {
      const promotedAt = [
        { topic: 'events', partition: 0, offset: '100' },
        { topic: 'events', partition: 1, offset: '50' },
      ];
      expect(written({ mirrorFrozen: true })).toMatchObject({ ...document, promotedAt });
    });
  });

  test.each<[string, PlanView]>([
    ['PrimaryUnfenced', view({}, { acceptUnfenced: false })],
    ['NoRecoveryPoint', view({ choices: [{ job: 'counts', choice: known({ kind: 'none', rejected: [] }) }] })],
    [
      'ClaimImpossible',
      view(
        { choices: [{ job: 'counts', choice: known({ kind: 'chosen', point: claimed, rejected: [] }) }] },
        { jobs: inSession('singapore') },
      ),
    ],
    ['StandbyUnreachable', view({ standbyJobs: unknown })],
    ['StandbyUnreachable', view({ mirroredEnds: unknown })],
    ['StandbyUnreachable', view({ choices: [{ job: 'counts', choice: unknown }] })],
    ['TopicMissing', view({ mirroredEnds: known([]) })],
    ['NoSlots', view({ slots: known({ free: 1, total: 4 }) })],
    ['ForeignJob', view({ standbyJobs: known([{ id: 'x', name: 'counts', state: 'RUNNING', startedAtMs: 1 }]) })],
    ['NamesUnreachable', view({ records: [{ name: 'n', records: unknown }] })],
    ['NameMissing', view({ records: [{ name: 'n', records: known([]) }] })],
    ['NameHoldsOther', view({ records: [{ name: 'n', records: known([{ ...record, content: '9.9.9.9' }]) }] })],
    ['ReplicationSuspended', view({}, { roles: { ...roles, replication: 'suspended' } })],
  ])('is blocked by %s', (code, blocked) => {
    const plan = planFailover(blocked);
    expect(plan.blockers.map((b) => b.code)).toEqual([code]);
    expect(plan.blockers[0]!.hint).toBeTruthy();
  });

  test.each([
    ['as a session job of the primary only', claimed, 'mumbai'],
    ['with a point that needs no claim', manifest, 'singapore'],
  ])('is not blocked by a job %s', (_what, point, region) => {
    const choices = [{ job: 'counts', choice: known({ kind: 'chosen' as const, point, rejected: [] }) }];
    expect(planFailover(view({ choices }, { jobs: inSession(region) })).blockers).toEqual([]);
  });

  test.each<[RegExp, PlanView]>([
    [/can't be proven stopped/, view()],
    [/no daemon has seen the primary/, view()],
    [/pending transactions/, view()],
    [/mumbai answers/, view({ primaryJobs: known([]) })],
    [/RTO of 900 s has passed/, view({ nowMs: 1_000_000 })],
  ])('warns: %s', (text, warned) => {
    expect(planFailover(warned).warnings.some((w) => text.test(w))).toBe(true);
  });

  test('tells the loss to expect, and warns when it is above the objective', () => {
    const sighting = {
      region: 'mumbai',
      atMs: 1_000,
      topics: {
        events: {
          recordsPerSecond: 100,
          partitions: [
            {
              partition: 0,
              logStartOffset: 0n,
              logEndOffset: 160n,
              mirroredEndOffset: 100n,
              newestTimestampMs: 1_000,
              mirroredTimestampMs: -99_000,
            },
          ],
        },
      },
    };
    const plan = planFailover(view({}, { sighting }));
    expect(plan.loss.events).toMatchObject({ estimatedRecords: 60, ms: 100_000 });
    expect(plan.warnings.some((w) => /more than the RPO of 60s/.test(w))).toBe(true);
  });
});
