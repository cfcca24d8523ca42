import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { names, type RegionName } from '../../lab/lab-info.ts';
import { clientOutage } from '../../lab/traffic/client-outage.ts';
import { readLedger } from '../../lab/traffic/ledger.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import type { SwitchoverPlan } from '../../runbooks/switchover/plan.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import { boundaries, killedAtEachStep } from '../support/kill-at-entry.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story, under traffic from its beginning to its end: each test goes on where the one before ended.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startTestLab();
  await lab.link(names.standby, names.primary).delay(10);
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** Beside other runs. */
const slow = { timeout: 480_000 };

const ready = () =>
  story.until('a switchover that nothing blocks', async () => {
    const plan = (await story.json(['switchover', '--dry-run'], [0, 3])) as unknown as SwitchoverPlan;
    return plan.blockers.length === 0 ? plan : undefined;
  });

const switchOver = async () =>
  (await story.json(['switchover', '--yes', '--reason', 'a rehearsal'])) as unknown as SwitchoverReport;

const runningJobs = async (region: RegionName) => {
  const { rest } = lab.info.regions[region].flink;
  const jobs = await flinkRestJobs({ region, url: rest }).list();
  return jobs.filter((j) => j.state === 'RUNNING').map((j) => j.name);
};

/** The longest time without an acknowledgement since an instant. */
const outageSince = async (sinceMs: number) => clientOutage(await readLedger(story.ledgerPath), { sinceMs })?.outageMs;

test('a dry run changes nothing, and nothing begins without a word', async () => {
  const before = await story.json(['runs', 'list']);
  await ready();
  expect(await story.json(['runs', 'list'])).toEqual(before);
  await story.json(['switchover'], [4]);
});

test('while producers write, the platform moves with nothing lost, and that is proven by offsets', async () => {
  await ready();
  const sinceMs = Date.now();
  const report = await switchOver();
  expect(report).toMatchObject({ outcome: 'done', to: names.standby, rpo: { provenZero: true }, compensated: [] });
  expect(['proven', 'by-rules']).toContain(report.rpo.producers);
  expect(report.rpo.partitions).toHaveLength(names.events.partitions);
  expect(report.producersBlockedMs).toBeLessThanOrEqual(30_000);
  await story.acknowledgedBy(names.standby);
  await sleep(2_000);
  expect(await outageSince(sinceMs)).toBeLessThanOrEqual(30_000);
  const { roles } = (await story.json(['status'], [0, 1])) as { readonly roles?: object };
  expect(roles).toMatchObject({ primary: names.standby, standby: names.primary, replication: 'active' });
  expect(await runningJobs(names.primary)).toEqual([]);
});

test(
  'killed behind each step up to the point of no return and aborted, it leaves the primary as it was',
  slow,
  async () => {
    // In the end the jobs are stopped, and their principals denied.
    await killedAtEachStep(lab, story, ['switchover', '--yes'], boundaries(await ready()).before, 'finished');
    expect(await runningJobs(names.standby)).toEqual([]);
    const { runs } = (await story.json(['runs', 'list'])) as { readonly runs?: readonly { readonly run: string }[] };
    const [newest] = (runs ?? []).toSorted((a, b) => (a.run < b.run ? 1 : -1));
    const aborted = await story.json(['runs', 'abort', newest?.run ?? '', '--yes']);
    expect(aborted).toMatchObject({ notTakenBack: [] });
    expect(await runningJobs(names.standby)).toEqual([names.job]);
    await story.takes(names.standby, 200);
  },
);

test('killed behind each of the others, it is gone on with by the next one, and moves back', slow, async () => {
  await killedAtEachStep(lab, story, ['switchover', '--yes'], boundaries(await ready()).behind, 'finished');
  const report = await switchOver();
  expect(report).toMatchObject({ outcome: 'done', to: names.primary, rpo: { provenZero: true } });
  await story.acknowledgedBy(names.primary);
  await story.takes(names.primary, 200);
});

test('the auditor finds every acknowledged event once, in order, and every count right', async () => {
  await story.endTraffic(names.primary);
  const audit = await story.audit(names.primary);
  expect(audit).toMatchObject({
    orphans: 0,
    lost: 0,
    lostUnknown: 0,
    vanished: 0,
    refusedButWritten: 0,
    duplicated: 0,
    misordered: 0,
    flink: { keys: 100, wrongCounts: 0 },
    outputDuplicates: 0,
  });
  expect(audit.acknowledged).toBeGreaterThan(2_000);
});
