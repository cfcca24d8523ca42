import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { judgeStore, type SeenStore } from '../../../../health/doctor/buckets.ts';
import { judgeClients, type SeenClients } from '../../../../health/doctor/clients.ts';
import { judgeEgress } from '../../../../health/doctor/egress.ts';
import { type DoctorFinding, doctorVerdict } from '../../../../health/doctor/finding.ts';
import { judgeSeenJob } from '../../../../health/doctor/jobs.ts';
import { judgeStatePlace } from '../../../../health/doctor/state-place.ts';
import { tryStore } from '../../../../health/doctor/try-store.ts';
import { judgeVersions, type SeenVersions } from '../../../../health/doctor/versions.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';

const codes = (findings: readonly DoctorFinding[]) => findings.map(({ severity, code }) => `${severity} ${code}`);

test('the worst is told first, each sentence once, and what concerns the other region alone can be left out', () => {
  const finding = (severity: DoctorFinding['severity'], code: string, region?: string): DoctorFinding => ({
    check: 'a',
    severity,
    code,
    message: code,
    fix: 'do it',
    ...(region === undefined ? {} : { region }),
  });
  const outcomes = [
    { check: 'a', findings: [finding('advice', 'A'), finding('error', 'B', 'mumbai'), finding('advice', 'A')] },
    { check: 'b', findings: [{ ...finding('warning', 'C', 'singapore'), check: 'b' }] },
    { check: 'c', findings: [] },
  ];
  const all = doctorVerdict(outcomes);
  expect(codes(all.findings)).toEqual(['error B', 'warning C', 'advice A']);
  expect(all.ok).toBe(false);
  expect(all.counts).toEqual({ error: 1, warning: 1, unknown: 0, advice: 1 });
  expect(all.checks).toEqual([
    { check: 'a', findings: 2, worst: 'error' },
    { check: 'b', findings: 1, worst: 'warning' },
    { check: 'c', findings: 0 },
  ]);
  expect(codes(doctorVerdict(outcomes, 'singapore').findings)).toEqual(['warning C', 'advice A']);
  expect(doctorVerdict(outcomes, 'singapore').ok).toBe(true);
});

const store = (over: Partial<SeenStore> = {}): SeenStore => ({
  what: 'the bucket of mumbai',
  uri: 's3://b',
  conditional: true,
  kept: ['argus/replica/', 'checkpoints/'],
  tried: {},
  settings: { versioning: 'off', rules: [] },
  ...over,
});
const rule = { id: 'old', prefix: '', moves: false };

test.each<readonly [string, Partial<SeenStore>, readonly string[]]>([
  ['nothing is wrong', {}, []],
  [
    'a rule for all keys',
    { settings: { versioning: 'off', rules: [{ ...rule, expiresAfterDays: 7 }] } },
    ['error LifecycleDeletesState'],
  ],
  [
    'a rule inside what is kept',
    { settings: { versioning: 'off', rules: [{ ...rule, prefix: 'checkpoints/a', expiresAfterDays: 7 }] } },
    ['error LifecycleDeletesState'],
  ],
  [
    'a rule beside what is kept',
    { settings: { versioning: 'off', rules: [{ ...rule, prefix: 'logs/', expiresAfterDays: 7 }] } },
    [],
  ],
  [
    'a rule that moves',
    { settings: { versioning: 'off', rules: [{ ...rule, moves: true }] } },
    ['warning LifecycleMovesState'],
  ],
  ['old versions for ever', { settings: { versioning: 'on', rules: [] } }, ['warning VersionsPileUp']],
  ['old versions for days', { settings: { versioning: 'on', rules: [{ ...rule, oldVersionsAfterDays: 2 }] } }, []],
  ['settings that may not be read', { settings: { unknown: 'denied' } }, ['unknown BucketSettingsUnknown']],
  ['no conditional writes for the lease', { tried: { overwrote: true } }, ['error NoConditionalWrites']],
  [
    'no conditional writes elsewhere',
    { tried: { overwrote: true }, conditional: false },
    ['advice NoConditionalWrites'],
  ],
  ['another content', { tried: { differs: true } }, ['error StoreForgets']],
  [
    'no right',
    { tried: { failed: { what: 'write', code: 'ObjectStoreDenied', message: 'no' } } },
    ['error ObjectStoreDenied'],
  ],
  [
    'nobody answers',
    { tried: { failed: { what: 'list', code: 'ObjectStoreUnreachable', message: 'no' } } },
    ['unknown ObjectStoreUnreachable'],
  ],
  ['a probe that stays', { tried: { left: 'argus/doctor/x' } }, ['warning ProbeObjectLeft']],
])('a bucket: %s', (_, over, wanted) => {
  expect(codes(judgeStore('buckets', store(over)))).toEqual(wanted);
});

test('a probe object is written, refused a second time, read and removed; read-only writes none', async () => {
  const { signal } = new AbortController();
  const place = memoryObjectStore('state');
  const puts: string[] = [];
  const watched = {
    ...place,
    put(...args: Parameters<typeof place.put>) {
      puts.push(args[0]);
      return place.put(...args);
    },
  };
  expect(await tryStore(watched, { name: 'p', readOnly: true, signal })).toEqual({});
  expect(puts).toEqual([]);
  expect(await tryStore(watched, { name: 'p', readOnly: false, signal })).toEqual({});
  expect(puts).toEqual(['argus/doctor/p', 'argus/doctor/p']);
  expect((await place.list('')).objects).toEqual([]);
  const noDelete = {
    ...place,
    delete: () => Promise.reject(new ArgusError('ObjectStoreDenied', 'no right to delete')),
  };
  expect(await tryStore(noDelete, { name: 'q', readOnly: false, signal })).toMatchObject({
    failed: { what: 'delete', code: 'ObjectStoreDenied' },
    left: 'argus/doctor/q',
  });
});

test('the probe object is removed also when the time is over amidst it', async () => {
  const place = memoryObjectStore('state');
  const time = new AbortController();
  const late: ObjectStore = {
    ...place,
    async get() {
      time.abort(new Error('no time left'));
      throw time.signal.reason;
    },
    async delete(key, options) {
      options?.signal?.throwIfAborted();
      return place.delete(key, options);
    },
  };
  await expect(tryStore(late, { name: 'p', readOnly: false, signal: time.signal })).rejects.toThrow('no time left');
  expect((await place.list('')).objects).toEqual([]);
});

test('the state lies where it outlives the primary', () => {
  const primary = { name: 'mumbai', objects: { endpoint: 'https://s3.a', region: 'auto', bucket: 'flink' } };
  const standby = { endpoint: 'https://s3.b', region: 'auto' };
  const bucket = (endpoint: string, url: string) => ({
    endpoint,
    url,
    region: 'auto',
    accessKeyId: 'env:A',
    secretAccessKey: 'env:B',
    pathStyle: true,
  });
  const judge = (state: Parameters<typeof judgeStatePlace>[1], automatic = false, other = standby) =>
    codes(judgeStatePlace('state', state, primary, other, automatic));
  expect(judge('file:./state')).toEqual(['warning StateOnOneMachine']);
  expect(judge('file:./state', true)).toEqual(['error StateOnOneMachine']);
  expect(judge(bucket('https://s3.a', 's3://flink/argus'))).toEqual(['error StateInActiveRegion']);
  expect(judge(bucket('https://s3.a/', 's3://flink'))).toEqual(['error StateInActiveRegion']);
  expect(judge(bucket('https://s3.a', 's3://argus'))).toEqual(['warning StateInActiveRegion']);
  expect(judge({ ...bucket('https://s3.a', 's3://argus'), region: 'eu' })).toEqual([]);
  expect(judge(bucket('https://s3.a', 's3://argus'), false, primary.objects)).toEqual([]);
  expect(judge(bucket('https://s3.b', 's3://flink'))).toEqual([]);
});

const versions = (region: string, kafka: number | undefined, ...flink: string[]): SeenVersions => ({
  region,
  ...(kafka === undefined ? {} : { kafka: new Map([['metadata.version', kafka]]) }),
  flink,
});

test.each<readonly [string, SeenVersions, SeenVersions, readonly string[]]>([
  ['the same', versions('m', 25, '2.2.1'), versions('s', 25), []],
  ['an older standby', versions('m', 25), versions('s', 20), ['warning StandbyKafkaOlder']],
  ['a newer standby', versions('m', 20), versions('s', 25), []],
  ['a silent Kafka', versions('m', undefined), versions('s', 25), ['unknown KafkaVersionUnknown']],
  ['an old Kafka', versions('m', 3), versions('s', 25), ['warning KafkaOld']],
  ['another Flink', versions('m', 25, '2.2.1'), versions('s', 25, '1.20.5'), ['warning FlinkDiffers']],
  ['a Flink nobody tried', versions('m', 25, '1.18.0'), versions('s', 25), ['advice FlinkUntried']],
  ['a Flink of before', versions('m', 25, '1.12.7'), versions('s', 25), ['error FlinkTooOld']],
])('versions: %s', (_, here, there, wanted) => {
  expect(codes(judgeVersions('versions', here, there))).toEqual(wanted);
});

const scram = (...users: readonly string[]) => new Map(users.map((user) => [user, ['SCRAM-SHA-512']]));
const clients = (over: Partial<SeenClients> = {}): SeenClients => ({
  primary: 'mumbai',
  standby: 'singapore',
  scram: { seen: [scram('a'), scram('a')] },
  groups: { seen: ['counts', 'argus-mirror'] },
  followed: { jobs: ['counts'] },
  producers: { seen: 0 },
  fenced: false,
  schemas: { seen: 'none' },
  ...over,
});

test.each<readonly [string, Partial<SeenClients>, readonly string[]]>([
  ['nothing is missing', {}, []],
  ['a user of the primary alone', { scram: { seen: [scram('a', 'b'), scram('a')] } }, ['warning ScramUsersDiffer']],
  ['a user of the standby alone', { scram: { seen: [scram('a'), scram('a', 'b')] } }, ['advice ScramUsersDiffer']],
  ['users nobody may see', { scram: { unknown: 'denied' } }, ['unknown ClientsUnknown']],
  ['no name in common', { names: { seen: [['k1.a'], ['k1.b']] } }, ['warning NoCommonBrokerName']],
  [
    'a common name',
    {
      names: {
        seen: [
          ['k1.a', 'kafka.x'],
          ['k1.b', 'kafka.x'],
        ],
      },
    },
    [],
  ],
  ['a name under a common wildcard', { names: { seen: [['kafka.x'], ['*.x']] } }, []],
  ['a wildcard covers one label only', { names: { seen: [['kafka.y.x'], ['*.x']] } }, ['warning NoCommonBrokerName']],
  ['a consumer outside', { groups: { seen: ['counts', 'bi'] } }, ['warning GroupsNotFollowed']],
  [
    'a consumer by a pattern',
    { groups: { seen: ['bi'] }, followed: { jobs: [], patterns: { include: ['b*'], exclude: [] } } },
    [],
  ],
  ['producers without a fence', { producers: { seen: 2 } }, ['warning ProducersNotFenced']],
  ['producers with a fence', { producers: { seen: 2 }, fenced: true }, []],
  ['a Schema Registry', { schemas: { seen: 'not-mirrored' } }, ['warning SchemaRegistryNotMirrored']],
  ['a mirrored Schema Registry', { schemas: { seen: 'mirrored' } }, []],
])('clients: %s', (_, over, wanted) => {
  expect(codes(judgeClients('clients', clients(over)))).toEqual(wanted);
});

test('what leaves the primary is told a month, and with a price what it costs', () => {
  const [free] = judgeEgress('egress', { primary: 'mumbai', mirrored: 1e6, checkpoints: 0.5e6 });
  expect(free?.message).toMatch(/1 MB\/s of records and 500 KB\/s of checkpoints leave mumbai: 3888 GB in 30 days$/);
  const [priced] = judgeEgress('egress', { primary: 'mumbai', mirrored: 1e6, checkpoints: 0.5e6 }, 0.09);
  expect(priced?.message).toMatch(/, about 350 at 0.09 a GB$/);
});

test('operators without a uid, and jobs that no drill tries', () => {
  const cluster = new Map([['pipeline.auto-generate-uids', 'false']]);
  expect(codes(judgeSeenJob('c', { job: 'counts', drill: true, settings: { cluster } }))).toEqual([]);
  expect(codes(judgeSeenJob('c', { job: 'counts', drill: false, settings: { cluster: new Map() } }))).toEqual([
    'advice OperatorIdsUnknown',
    'advice JobInNoDrill',
  ]);
});
