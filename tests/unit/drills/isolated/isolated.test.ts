import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { listDrillNotes } from '../../../../state/drill-notes.ts';
import { drillState } from '../../../../state/drills.ts';
import { readRun } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { putSighting } from '../../../../state/sightings.ts';
import { askToStop } from '../../../../state/stop-requests.ts';
import { drillName, drillWorld, leftIn, nothingLeft } from './world.ts';

describe('an isolated drill', () => {
  test('starts the job from the replica in its bubble, measures, compares and leaves nothing', async () => {
    const world = drillWorld();
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({
      outcome: 'passed',
      kind: 'isolated',
      causes: [],
      leaks: [],
      points: [{ job: 'counts', checkpointId: 7, replayRecords: 20 }],
      comparisons: [{ records: 3, missing: 0 }],
    });
    expect(report.rto?.ms).toBeGreaterThan(0);
    expect(report.rpo).toMatchObject({ certainty: 'counted', records: 0 });
    expect(exitCode).toBe(0);
    expect(await leftIn(world)).toEqual(nothingLeft);
    expect(await listDrillNotes(world.state)).toEqual([]);
    expect([...world.quotas]).toEqual([['consumer_byte_rate', 5]]);
    expect([...world.groups]).toEqual(['counts']);
  });

  test('gives the job nothing but names of the drill', async () => {
    const world = drillWorld();
    await world.run(1);
    const [job] = world.jobs.values();
    const tag = '20261122t033001z-0001';
    expect(job?.start).toMatchObject({
      args: [
        '--group',
        `argus-drill-${tag}-counts`,
        `--txid=argus-drill-${tag}-counts`,
        '--out',
        `argus.drill.${tag}.metrics`,
      ],
      savepointPath: `memory:singapore/argus/drills/${tag}/counts/restore/metadata`,
      configuration: {
        'execution.checkpointing.dir': `memory:singapore/argus/drills/${tag}/counts/checkpoints`,
      },
    });
  });

  test('is in the journal of drills, not in that of the failovers', async () => {
    const world = drillWorld();
    await world.run(1);
    expect(await readRun(world.state, drillName(1))).toEqual([]);
    const entries = await readRun(drillState(world.state), drillName(1));
    expect(entries[0]?.fact).toMatchObject({ kind: 'run-started', runbook: 'drill', details: { kind: 'isolated' } });
    expect(entries.at(-1)?.fact).toMatchObject({ kind: 'run-finished', report: { outcome: 'passed' } });
  });

  test('that finds the replica damaged fails with the cause before it makes anything', async () => {
    const cause = { job: 'counts', code: 'StateFileDamaged', message: 'shared/1 is not what was copied' };
    const world = drillWorld({ questions: { prove: async () => ({ causes: [cause], evidence: {} }) } });
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'failed', causes: [cause], leaks: [] });
    expect(exitCode).toBe(1);
    expect(world.changes).toEqual([]);
    expect(await listDrillNotes(world.state)).toEqual([]);
  });

  test('fails by the damage of a newer point, though an older one could be used', async () => {
    const world = drillWorld();
    const chosen = (await world.questions.chooseRecoveryPoints([], [], AbortSignal.timeout(1_000))).get('counts')!;
    const refused = { job: 'counts', checkpointId: 8, code: 'FileMissing', message: 'shared/2 is not on the replica' };
    const late = { job: 'counts', checkpointId: 9, code: 'SourceOffsetBeyondMirror', message: 'not mirrored yet' };
    const choose = (rejected: readonly (typeof late)[]) => ({
      ...world.questions,
      chooseRecoveryPoints: async () => new Map([['counts', { ...chosen, rejected }]]),
    });
    const run = (n: number, rejected: readonly (typeof late)[]) => {
      const options = world.options(n);
      return world.run(n, { context: { ...options.context, questions: choose(rejected) } });
    };
    expect((await run(1, [late, refused])).report).toMatchObject({
      outcome: 'failed',
      causes: [{ code: 'StateFileMissing' }],
      rejected: [{ checkpointId: 9 }, { checkpointId: 8 }],
    });
    expect((await run(2, [late])).report).toMatchObject({ outcome: 'passed', rejected: [{ checkpointId: 9 }] });
  });

  test('does not fail by a newer point whose copy only was under way when it was listed', async () => {
    const world = drillWorld();
    const chosen = (await world.questions.chooseRecoveryPoints([], [], AbortSignal.timeout(1_000))).get('counts')!;
    const lacking = { job: 'counts', checkpointId: 8, code: 'FileMissing', message: 'shared/2 is not on the replica' };
    const looks = [[lacking], [{ ...lacking, checkpointId: 9 }]];
    const options = world.options(1);
    const questions = {
      ...world.questions,
      chooseRecoveryPoints: async () => new Map([['counts', { ...chosen, rejected: looks.shift() ?? [] }]]),
    };
    const { report } = await world.run(1, { context: { ...options.context, questions } });
    expect(report).toMatchObject({ outcome: 'passed', causes: [] });
    expect(looks).toEqual([]);
  });

  test('says in its verdict what was not compared', async () => {
    const why = {
      job: 'counts',
      topic: 'other',
      kind: 'skipped',
      why: 'it holds records outside transactions',
    } as const;
    const same = { against: 'mirrored', records: 3, missing: 0, unexpected: 0, differing: 0 } as const;
    const comparisons = [{ job: 'counts', topic: 'metrics', kind: 'compared', ...same } as const, why];
    const world = drillWorld({
      questions: {
        prove: async () => ({ causes: [], evidence: {}, mirrorNotCompared: 'the primary did not answer' }),
        compare: async () => ({ kind: 'ended', comparisons }),
      },
    });
    const { report } = await world.run(1);
    expect(report.outcome).toBe('passed');
    expect(report.verdict).toBe(
      "counts came up on singapore from the replica; its output equals mumbai's in 3 records, 1 topic was not compared; the mirrored log was not compared with mumbai's, or not all of it; nothing is left of the drill",
    );
  });

  test('while the primary is dark passes, and estimates what would be lost', async () => {
    const world = drillWorld();
    const { context } = world.options(1);
    const dark = () => Promise.reject(new ArgusError('KafkaUnreachable', 'timed out', { retryable: true }));
    const kafka = { describeTopics: dark, topicConfigs: dark, logRanges: dark };
    // The daemon sees it a moment after the drill has begun.
    const now = world.clock.now();
    const sighting = { region: 'mumbai', atMs: now, checkedAtMs: now + 60_000, firstFailureAtMs: now + 1, topics: {} };
    await putSighting(world.state, sighting);
    const { report } = await world.run(1, { context: { ...context, primary: { name: 'mumbai', kafka } } });
    expect(report).toMatchObject({ outcome: 'passed', rpo: { certainty: 'estimated', topics: [] } });
  });

  test('tells how old what would be lost is by the newest sight of the primary, not by the one from before the drill', async () => {
    const world = drillWorld();
    const { context } = world.options(1);
    const { kafka } = context.primary;
    const ahead: typeof kafka = {
      ...kafka,
      describeTopics: (names, call) => kafka.describeTopics(names, call),
      topicConfigs: (topic, call) => kafka.topicConfigs(topic, call),
      logRanges: async (asked, call) =>
        (await kafka.logRanges(asked, call)).map((range) => ({ ...range, logEndOffset: range.logEndOffset + 1n })),
    };
    const partitions = [...(await kafka.describeTopics(['events'])).values()].flatMap((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => ({
        ...{ partition, logStartOffset: 0n, logEndOffset: 0n, mirroredEndOffset: 0n },
        ...{ newestTimestampMs: null, mirroredTimestampMs: null },
      })),
    );
    const sightedAt = (atMs: number) => ({
      ...{ region: 'mumbai', atMs },
      topics: { events: { recordsPerSecond: 1, partitions } },
    });
    const now = world.clock.now();
    await putSighting(world.state, sightedAt(now));
    const primary = { name: 'mumbai', kafka: ahead };
    const { report } = await world.run(1, { context: { ...context, primary, sighting: sightedAt(now - 60_000) } });
    expect(report.rpo).toMatchObject({ certainty: 'counted', records: partitions.length });
    expect(report.rpo?.ms).toBeLessThan(10_000);
  });

  test('that has no recovery point has failed, before it makes anything', async () => {
    const rejected = [
      { job: 'counts', checkpointId: 9, code: 'SourceOffsetBeyondMirror', message: 'not mirrored yet' },
    ];
    const chooseRecoveryPoints = async () => new Map([['counts', { kind: 'none' as const, rejected }]]);
    const world = drillWorld({ questions: { chooseRecoveryPoints } });
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'NoRecoveryPoint' }], leaks: [] });
    expect(exitCode).toBe(1);
    expect(world.changes).toEqual([]);
  });

  test('that can not prove the replica has failed', async () => {
    const prove = () => Promise.reject(new ArgusError('ObjectStoreFailed', 'the store refuses to list'));
    const world = drillWorld({ questions: { prove } });
    const { report } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'ObjectStoreFailed' }], leaks: [] });
    expect(world.changes).toEqual([]);
  });

  test('of a job with a sink that can not be moved into the bubble is refused, before it makes anything', async () => {
    const refusal = new ArgusError('SinkNotMovable', 'counts writes by JDBC', { exitCode: 3 });
    const world = drillWorld({ questions: { gatherCopy: () => Promise.reject(refusal) } });
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'stopped', causes: [{ code: 'SinkNotMovable' }], leaks: [] });
    expect(exitCode).toBe(3);
    expect(world.changes).toEqual([]);
    expect(await listDrillNotes(world.state)).toEqual([]);
  });

  test('that can not clean up says what is left, and is cleaned up after', async () => {
    const world = drillWorld();
    const { deleteTopics } = world.site.kafka;
    world.site.kafka.deleteTopics = () => Promise.reject(new ArgusError('KafkaDenied', 'DELETE is denied'));
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({
      outcome: 'failed',
      causes: [{ code: 'KafkaDenied' }, { code: 'CompensationFailed' }],
    });
    expect(exitCode).toBe(4);
    expect((await listDrillNotes(world.state)).map(({ run }) => run)).toEqual([drillName(1)]);
    world.site.kafka.deleteTopics = deleteTopics;
    expect((await world.run(2)).report).toMatchObject({ outcome: 'passed', leaks: [] });
    expect(await leftIn(world)).toEqual(nothingLeft);
    expect(await listDrillNotes(world.state)).toEqual([]);
  });

  test('goes on, and cleans up, when what it asks does not answer for a moment', async () => {
    const world = drillWorld();
    const { context } = world.options(1);
    let failed = 0;
    /** Answers each third time. */
    const flaky = <A extends readonly unknown[], T>(ask: (...args: A) => Promise<T>) => {
      let asked = 0;
      return async (...args: A) => {
        if (++asked % 3 === 0) return ask(...args);
        failed++;
        throw new ArgusError('KafkaUnreachable', 'no answer', { retryable: true });
      };
    };
    const { kafka } = world.site;
    kafka.describeQuotas = flaky(kafka.describeQuotas);
    kafka.listAcls = flaky(kafka.listAcls);
    kafka.logRanges = flaky(kafka.logRanges);
    const questions = { ...context.questions, chooseRecoveryPoints: flaky(context.questions.chooseRecoveryPoints) };
    const state = { ...world.state, delete: flaky(world.state.delete) };
    const { report, exitCode } = await world.run(1, { context: { ...context, questions, state } });
    expect(report).toMatchObject({ outcome: 'passed', leaks: [] });
    expect(exitCode).toBe(0);
    expect(failed).toBeGreaterThan(8);
    expect(await leftIn(world)).toEqual(nothingLeft);
    expect(await listDrillNotes(world.state)).toEqual([]);
    expect([...world.quotas]).toEqual([['consumer_byte_rate', 5]]);
  });

  test('whose job does not come up fails with the reason, and is torn down', async () => {
    const world = drillWorld({ jobEnds: 'FAILED' });
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({
      outcome: 'failed',
      causes: [{ code: 'JobFailed', message: 'it broke' }],
      leaks: [],
    });
    expect(exitCode).toBe(1);
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('whose job writes its checkpoints elsewhere fails', async () => {
    const world = drillWorld({ checkpointsIn: 'memory:singapore/checkpoints' });
    const { report } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'CheckpointOutsideBubble' }] });
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('whose output differs fails, with the first difference', async () => {
    const first = 'key a: production has 3, the drill 4';
    const differs = { job: 'counts', topic: 'metrics', kind: 'compared', against: 'mirrored', records: 9 } as const;
    const comparisons = [{ ...differs, missing: 0, unexpected: 0, differing: 1, first }];
    const world = drillWorld({ questions: { compare: async () => ({ kind: 'ended', comparisons }) } });
    const { report } = await world.run(1);
    expect(report).toMatchObject({ outcome: 'failed', comparisons, leaks: [] });
    expect(report.causes[0]).toMatchObject({ code: 'OutputDiffers', message: expect.stringContaining(first) });
  });

  test('that takes too long is ended, torn down, and has failed', async () => {
    const world = drillWorld({ stuck: true });
    const { context } = world.options(1);
    const config = { ...context.config, drill: { ...context.config.drill, timeout: 60_000 } };
    const { report, exitCode } = await world.run(1, { context: { ...context, config } });
    expect(report).toMatchObject({ outcome: 'failed', causes: [{ code: 'DrillTimedOut' }], leaks: [] });
    expect(exitCode).toBe(1);
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('that somebody interrupts is torn down and says so', async () => {
    const world = drillWorld({ stuck: true });
    const stop = new AbortController();
    const running = world.run(1, { signal: stop.signal });
    await world.clock.sleep(10_000);
    expect(world.jobs.size).toBe(1);
    stop.abort(new Error('Ctrl-C'));
    const { report, exitCode } = await running;
    expect(report).toMatchObject({ outcome: 'stopped', leaks: [] });
    expect(exitCode).toBe(1);
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('that is asked to stop from elsewhere is torn down, and says by whom', async () => {
    const world = drillWorld({ stuck: true });
    const running = world.run(1);
    await world.clock.sleep(10_000);
    await askToStop(drillState(world.state), drillName(1), { by: 'ann@desk', atMs: world.clock.now() });
    const { report } = await running;
    expect(report).toMatchObject({ outcome: 'stopped', leaks: [], verdict: expect.stringContaining('ann@desk') });
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test.each([
    ['before', 1],
    ['after', 2],
  ])('says which names nobody answered for %s, and takes no record for a leak', async (_, failing) => {
    const world = drillWorld();
    const { context } = world.options(1);
    let asked = 0;
    const find: typeof world.records.find = async (...args) => {
      if (++asked === failing) throw new ArgusError('DnsUnreachable', 'no answer', { retryable: true });
      return world.records.find(...args);
    };
    const { report, exitCode } = await world.run(1, { context: { ...context, records: { find } } });
    expect(report).toMatchObject({ outcome: 'passed', leaks: [] });
    expect(exitCode).toBe(0);
    expect(asked).toBe(2);
    const facts = (await readRun(drillState(world.state), drillName(1))).map(({ fact }) => fact);
    const told = facts.flatMap((fact) => (fact.kind === 'step-finished' ? [fact.evidence] : []));
    expect(told.filter((each) => JSON.stringify(each).includes('"dnsNotAsked":["ingest.argus.test A"]'))).toHaveLength(
      1,
    );
  });

  test('takes a record that was changed meanwhile for a leak', async () => {
    const world = drillWorld();
    const { context } = world.options(1);
    let asked = 0;
    const find: typeof world.records.find = async (...args) =>
      (await world.records.find(...args)).map((record) => ({
        ...record,
        content: ++asked === 1 ? record.content : '127.0.1.2',
      }));
    const { report } = await world.run(1, { context: { ...context, records: { find } } });
    expect(report).toMatchObject({
      outcome: 'failed',
      leaks: [{ kind: 'dns', name: 'ingest.argus.test A 127.0.1.2' }],
    });
  });

  test('finds a topic that has a name of drills and is left: a leak that fails it', async () => {
    const topic = 'argus.drill.20200101t000000z-0000.left';
    const world = drillWorld({ leavesTopic: topic });
    const { report, exitCode } = await world.run(1);
    expect(report).toMatchObject({
      outcome: 'failed',
      causes: [{ code: 'Leak' }],
      leaks: [{ kind: 'topic', name: topic }],
    });
    expect(exitCode).toBe(4);
  });
});

describe('a drill and those who act', () => {
  const holder = {
    holder: 'ann@desk',
    purpose: 'failover',
    run: '20261122T033000Z-failover-0001',
    ttlMs: 10_000,
    waitMs: 0,
  };

  test('is not begun beside a failover', async () => {
    const world = drillWorld();
    await acquireLease(world.state, holder, world.clock);
    await expect(world.run(1)).rejects.toMatchObject({ code: 'LeaseHeld', exitCode: 3 });
    expect(world.changes).toEqual([]);
  });

  test('makes way for a failover within seconds, torn down', async () => {
    const world = drillWorld({ stuck: true });
    const running = world.run(1);
    await world.clock.sleep(10_000);
    expect(world.jobs.size).toBe(1);
    const answer = await acquireLease(world.state, holder, world.clock);
    expect(answer.kind).toBe('acquired');
    const from = world.clock.now();
    const { report } = await running;
    expect(report).toMatchObject({ outcome: 'stopped', causes: [{ code: 'DrillYielded' }], leaks: [] });
    const cancelled = world.changes.findIndex(([what]) => what === 'job-');
    expect(cancelled).toBeGreaterThan(0);
    expect(world.clock.now() - from).toBeLessThan(15_000);
    expect(await leftIn(world)).toEqual(nothingLeft);
  });

  test('is not begun beside another drill that lives', async () => {
    const world = drillWorld({ stuck: true });
    const stop = new AbortController();
    const running = world.run(1, { signal: stop.signal });
    await world.clock.sleep(10_000);
    await expect(world.run(2)).rejects.toMatchObject({ code: 'LeaseHeld' });
    stop.abort(new Error('enough'));
    await running;
  });
});
