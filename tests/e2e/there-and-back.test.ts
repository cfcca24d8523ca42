import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvents, readMetrics } from '../../lab/auditor/audit.ts';
import { countAudit, type EventRecord } from '../../lab/auditor/count.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { readLedger } from '../../lab/traffic/ledger.ts';
import type { FailbackPlan } from '../../runbooks/failback/plan.ts';
import { killedAtEachStep } from '../support/kill-at-entry.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { returnWithOrphans } from '../support/old-primary-back.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let story: LabStory;
const { topic } = names.events;
const orphanTopic = `argus.orphans.${topic}`;

beforeAll(async () => {
  lab = await startTestLab();
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** What the auditor finds on the old primary alone, by the ids of events. */
let orphans: ReadonlySet<string>;

test('the primary is killed under load, and comes back with a thousand records that nobody else has', async () => {
  orphans = await returnWithOrphans(lab, story, 1_000);
  expect(orphans.size).toBeGreaterThanOrEqual(1_000);
});

let plan: FailbackPlan;

test('a dry run of the failback tells what diverged, and changes nothing', async () => {
  plan = (await story.json(['failback', '--dry-run'])) as unknown as FailbackPlan;
  expect(plan).toMatchObject({ region: 'mumbai', active: 'singapore', beginAnew: [topic], blockers: [] });
  expect(await story.json(['orphans', 'list'])).toEqual({ rescued: [] });
});

test('a failback that is killed while it keeps orphans, and behind each of its steps, is gone on with', {
  timeout: 480_000,
}, async () => {
  await story.killedAt(['failback', '--yes'], /records kept in/);
  await killedAtEachStep(lab, story, ['failback', '--yes', '--no-wait'], plan.steps.slice(0, -1), 'finished');
});

test('argus failback keeps every orphan, counts as the auditor does, and mirrors back', async () => {
  const report = await story.json(['failback', '--yes', '--reason', 'mumbai is back']);
  expect(report).toMatchObject({
    outcome: 'done',
    orphans: orphans.size,
    inSync: { kind: 'ready' },
  });
  const kept = (await readEvents({ bootstrap: story.auditor('singapore'), topic: orphanTopic })).map((e) => e.id);
  expect(kept).toHaveLength(orphans.size);
  expect(new Set(kept)).toEqual(orphans);
  const runs = (await story.json(['runs', 'list'])).runs as unknown as {
    readonly run: string;
    readonly runbook: string;
  }[];
  const failover = runs.find((r) => r.runbook === 'failover')?.run ?? '';
  const counted = { records: orphans.size, certainty: 'counted' };
  expect(await story.json(['report', 'show', failover])).toMatchObject({ rpo: counted });
  const back = await story.json(['report', 'show', 'latest']);
  expect(back).toMatchObject({
    runbook: 'failback',
    verdict: expect.stringContaining(`${orphans.size.toLocaleString('en')} records that only mumbai had`),
  });
});

test('status, mirror and recovery points follow the roles without a file being edited', async () => {
  // On a busy machine a look at the state, of 2 s, may tell nothing.
  const roles = await story.until('the roles', async () => {
    const seen = (await story.json(['status'], [0, 1])) as { readonly roles?: { readonly replication?: string } };
    return seen.roles?.replication === 'unknown' ? undefined : seen.roles;
  });
  expect(roles).toMatchObject({ primary: 'singapore', standby: 'mumbai', replication: 'active' });
  const points = await story.json(['recovery-points']);
  const chosen = expect.objectContaining({ verdict: 'chosen' });
  expect(points).toMatchObject({ jobs: [{ points: expect.arrayContaining([chosen]) }] });
  expect(await story.json(['orphans', 'list'])).toMatchObject({
    rescued: [{ region: 'mumbai', keptBy: 'singapore', topics: [{ topic, orphans: orphans.size }] }],
  });
});

test('argus failback --switch goes on with a switchover back, also when it is killed amidst that', async () => {
  const back = ['failback', '--yes', '--switch'];
  await story.killedAt(back, /✓ Keep the producers from writing to singapore/);
  const { switchover } = await story.json(back);
  expect(switchover).toMatchObject({ outcome: 'done', to: 'mumbai', rpo: { provenZero: true } });
  // Once more there is nothing to fail back, and nothing is switched.
  await story.json(back, [3]);
  await story.acknowledgedBy('mumbai');
});

test('argus switchover moves forth again with nothing lost', async () => {
  await story.until('a switchover that nothing blocks', async () => {
    const plan = (await story.json(['switchover', '--dry-run'], [0, 3])) as { readonly blockers?: readonly unknown[] };
    return plan.blockers?.length === 0 || undefined;
  });
  const report = await story.json(['switchover', '--yes']);
  expect(report).toMatchObject({ outcome: 'done', to: 'singapore', rpo: { provenZero: true } });
  await story.acknowledgedBy('singapore');
});

test('over the whole story each acknowledged event is on the active side or among the orphans, none twice', async () => {
  await story.endTraffic('singapore');
  const bootstrap = story.auditor('singapore');
  const [ledger, events, kept, metrics, copy] = await Promise.all([
    readLedger(story.ledgerPath),
    readEvents({ bootstrap, topic }),
    readEvents({ bootstrap, topic: orphanTopic }),
    readMetrics({ bootstrap, topic: names.metrics.topic, client: lab.info.artifacts }),
    readEvents({ bootstrap: story.auditor('mumbai'), topic }),
  ]);
  const audit = countAudit({ ledger, oldEvents: kept, standbyEvents: events, standbyMetrics: metrics });
  expect(audit).toMatchObject({
    orphans: orphans.size,
    vanished: 0,
    refusedButWritten: 0,
    duplicated: 0,
    misordered: 0,
    flink: { wrongCounts: 0 },
  });
  expect(audit.acknowledged).toBeGreaterThan(1_000);
  // The old primary holds the same records at the same offsets again.
  expect(inOrder(copy)).toEqual(inOrder(events));
});

/** Lines that tell records apart, whatever the order in which partitions were read. */
function inOrder(records: readonly EventRecord[]): readonly string[] {
  return records.map(({ partition, offset, id }) => `${partition} ${String(offset).padStart(9)} ${id}`).sort();
}
