import { describe, expect, it } from 'vitest';
import {
  decidePreflight,
  type PreflightFacts,
  type PreflightRegion,
  preflightError,
} from '../../../health/preflight.ts';
import type { ProbeOf } from '../../../health/probe.ts';

const ok = { status: 'ok', latencyMs: 1 } as const;
const away = { status: 'failed', latencyMs: 1, reason: 'refused', code: 'KafkaUnreachable' } as const;
const denied = {
  status: 'failed',
  latencyMs: 1,
  reason: 'wrong key',
  code: 'ObjectStoreDenied',
  hint: 'check the key',
} as const;
const kafka = (partitions: number): ProbeOf<never> & object =>
  ({ ...ok, value: { topics: new Map([['events', partitions]]), ranges: [] } }) as never;

const region = (name: string, changes: Partial<PreflightRegion> = {}): PreflightRegion => ({
  name,
  kafka: kafka(4),
  objects: ok,
  flink: ok,
  ...changes,
});
const facts = (changes: Partial<PreflightFacts> = {}): PreflightFacts => ({
  primary: region('mumbai'),
  standby: region('singapore'),
  dnsApi: ok,
  resolvers: [{ server: '127.0.0.1:53', probe: ok }],
  jars: [{ job: 'counts', probe: ok }],
  topics: ['events'],
  sightedPartitions: {},
  ...changes,
});
const deadPrimary = region('mumbai', { kafka: away, objects: away, flink: away });
const codes = (list: readonly { code: string }[]) => list.map((e) => e.code);

describe('decidePreflight', () => {
  it.each([
    [30_000, 1_000, []],
    [61_000, 2_000, []],
    [120_000, 2_000, ['ClockSkewed']],
    [-3_600_000, 600, ['ClockSkewed']],
  ])('tells of a clock that is %i ms ahead of the store’s, give or take %i', (aheadMs, uncertaintyMs, expected) => {
    const standby = region('singapore', { objectsClock: { aheadMs, uncertaintyMs } });
    const verdict = decidePreflight('checkpoints', facts({ standby }));
    expect([codes(verdict.errors), codes(verdict.warnings)]).toEqual([[], expected]);
    expect(decidePreflight('mirror', facts({ standby })).warnings).toEqual([]);
  });

  it.each(['failover', 'mirror', 'checkpoints', 'daemon', 'config-check'] as const)(
    '%s may begin when all is well',
    (purpose) => {
      expect(decidePreflight(purpose, facts())).toMatchObject({ errors: [], warnings: [] });
    },
  );

  it.each([
    ['failover', [], 3],
    ['mirror', ['KafkaUnreachable'], 0],
    ['checkpoints', ['KafkaUnreachable'], 0],
    ['daemon', [], 2],
    ['config-check', ['KafkaUnreachable', 'KafkaUnreachable', 'KafkaUnreachable'], 0],
  ] as const)('%s with a dead primary: errors %j', (purpose, errors, warnings) => {
    const verdict = decidePreflight(purpose, facts({ primary: deadPrimary }));
    expect(codes(verdict.errors)).toEqual(errors);
    expect(verdict.warnings).toHaveLength(warnings);
  });

  it.each(['failover', 'mirror', 'daemon', 'config-check'] as const)('%s needs the Kafka of the standby', (purpose) => {
    const verdict = decidePreflight(purpose, facts({ standby: region('singapore', { kafka: away }) }));
    expect(verdict.errors).toEqual([{ code: 'KafkaUnreachable', message: 'Kafka of singapore: refused' }]);
  });

  it.each([
    ['failover', 'standby'],
    ['checkpoints', 'primary'],
    ['checkpoints', 'standby'],
    ['daemon', 'primary'],
    ['daemon', 'standby'],
  ] as const)('%s refuses a wrong S3 key of the %s', (purpose, role) => {
    const verdict = decidePreflight(purpose, facts({ [role]: region('x', { objects: denied }) }));
    expect(codes(verdict.errors)).toEqual(['ObjectStoreDenied']);
  });

  it('failover goes on with a wrong S3 key of a primary that it does not need', () => {
    const verdict = decidePreflight('failover', facts({ primary: region('mumbai', { objects: denied }) }));
    expect(verdict.errors).toEqual([]);
    expect(codes(verdict.warnings)).toEqual(['ObjectStoreDenied']);
  });

  it('config check names the Kubernetes that refuses, a failover leaves that to Flink', () => {
    const kubernetes = {
      status: 'failed',
      latencyMs: 1,
      reason: 'expired',
      code: 'KubernetesUnauthenticated',
    } as const;
    const seen = facts({ standby: region('singapore', { kubernetes }) });
    expect(decidePreflight('config-check', seen).errors).toEqual([
      { code: 'KubernetesUnauthenticated', message: 'Kubernetes of singapore: expired' },
    ]);
    expect(decidePreflight('failover', seen).errors).toEqual([]);
  });

  it('failover refuses a wrong DNS token before anything is changed, the mirror does not care', () => {
    const dnsApi = { status: 'failed', latencyMs: 1, reason: 'denied', code: 'DnsDenied' } as const;
    expect(codes(decidePreflight('failover', facts({ dnsApi })).errors)).toEqual(['DnsDenied']);
    expect(decidePreflight('mirror', facts({ dnsApi }))).toMatchObject({ errors: [], warnings: [] });
  });

  it('the daemon, which replicates without DNS and jars, warns of what a failover will need', () => {
    const dnsApi = { status: 'failed', latencyMs: 1, reason: 'denied', code: 'DnsDenied' } as const;
    const jars = [{ job: 'counts', probe: { ...dnsApi, code: 'JobJarUnreadable' } }];
    const verdict = decidePreflight('daemon', facts({ dnsApi, jars }));
    expect(verdict.errors).toEqual([]);
    expect(verdict.warnings.map((w) => w.message)).toEqual([
      'the DNS provider: denied',
      'the jar of job counts: denied',
    ]);
  });

  it.each(['failover', 'config-check'] as const)('%s refuses a jar that can not be read', (purpose) => {
    const jars = [{ job: 'counts', probe: { ...away, code: 'JobJarUnreadable' } }];
    expect(codes(decidePreflight(purpose, facts({ jars })).errors)).toEqual(['JobJarUnreadable']);
  });

  it.each(['failover', 'mirror', 'daemon'] as const)(
    '%s refuses a topic with more partitions on the standby',
    (purpose) => {
      const verdict = decidePreflight(purpose, facts({ standby: region('singapore', { kafka: kafka(6) }) }));
      expect(verdict.errors[0]).toMatchObject({
        code: 'PartitionCountDiffers',
        message: 'topic "events" has 6 partitions in singapore and 4 in mumbai: keys would lie elsewhere',
      });
    },
  );

  it.each([
    ['mirror', []],
    ['daemon', []],
    ['failover', ['PartitionCountDiffers']],
  ] as const)('%s on fewer partitions on the standby: %j, since the mirror adds them', (purpose, expected) => {
    const verdict = decidePreflight(purpose, facts({ standby: region('singapore', { kafka: kafka(3) }) }));
    expect(codes(verdict.errors)).toEqual(expected);
  });

  it('compares with the last sighting when the primary is dark', () => {
    const verdict = decidePreflight('failover', facts({ primary: deadPrimary, sightedPartitions: { events: 3 } }));
    expect(codes(verdict.errors)).toEqual(['PartitionCountDiffers']);
  });

  it('says that a topic to mirror does not exist', () => {
    const missing = { ...ok, value: { topics: new Map(), ranges: [] } } as never;
    expect(codes(decidePreflight('mirror', facts({ primary: region('mumbai', { kafka: missing }) })).errors)).toEqual([
      'TopicMissing',
    ]);
  });

  it('tells silence from a refusal', () => {
    const silent = {
      status: 'unknown',
      latencyMs: 5_000,
      reason: 'no answer within 5 s',
      code: 'ProbeTimedOut',
    } as const;
    const verdict = decidePreflight('mirror', facts({ standby: region('singapore', { kafka: silent }) }));
    expect(verdict.errors[0]?.message).toBe('Kafka of singapore does not answer: no answer within 5 s');
  });
});

describe('preflightError', () => {
  it('is exit code 2 with the hint of what was wrong', () => {
    const verdict = decidePreflight('daemon', facts({ standby: region('singapore', { objects: denied }) }));
    expect(preflightError(verdict)).toMatchObject({
      code: 'ObjectStoreDenied',
      message: 'the object store of singapore: wrong key',
      hint: 'check the key',
      exitCode: 2,
    });
  });

  it('is nothing when nothing is wrong', () => {
    expect(preflightError({ errors: [], warnings: [], primaryKafkaAnswers: true })).toBeUndefined();
  });
});
