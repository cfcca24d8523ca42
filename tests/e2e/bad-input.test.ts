import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { type ArgusRun, argus } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { pictureOf } from '../support/lab-picture.ts';
import { startTestLab } from '../support/whole-lab.ts';

// A lab in which nothing was ever mirrored or replicated: whatever a refused command writes is seen at once.
let lab: Lab;
let text: string;

beforeAll(async () => {
  lab = await startTestLab();
  text = readFileSync(lab.configPath, 'utf8');
});
afterAll(() => lab?.down());

const live = 'config check --live';
const mirror = 'mirror run';
const once = 'checkpoints run --once';
const failover = 'failover --yes --accept-unfenced';
const daemon = 'daemon';

/** What is wrong: the lab's configuration and secrets with a change. */
interface Fault {
  readonly change?: (text: string) => string;
  readonly env?: Readonly<Record<string, string>>;
  /** The file itself is missing. */
  readonly absent?: boolean;
}

/** Replaces the first occurrence; one that isn't there would make the test void. */
function swap(from: string | (() => string), to: string): (text: string) => string {
  return (before) => {
    const wanted = typeof from === 'string' ? from : from();
    if (!before.includes(wanted)) throw new Error(`the lab's argus.yaml lacks: ${wanted}`);
    return before.replace(wanted, to);
  };
}

let variants = 0;

/** Runs the commands with the fault, all at once: none of them may do anything. */
function runAll(fault: Fault, commands: readonly string[]): Promise<ArgusRun[]> {
  // Beside the lab's own, so that relative paths mean the same.
  const configPath = join(lab.dir, `bad-${variants++}.yaml`);
  if (!fault.absent) writeFileSync(configPath, fault.change?.(text) ?? text);
  const env = { ...lab.processEnv('argus'), ...fault.env };
  return Promise.all(commands.map((c) => argus({ configPath, env }, c.split(' '), { timeoutMs: 30_000 })));
}

/** The lines of an output that begin so, without that beginning. */
const linesOf = (output: string, start: string): string[] =>
  output.split('\n').flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));

const isAttempt = (object: unknown) => typeof object === 'string' && object.includes('/attempts/');

/** A picture without what the state has noted of refused attempts, and how many those are. */
function apartFromAttempts(picture: unknown): { readonly picture: unknown; readonly attempts: number } {
  let attempts = 0;
  const text = JSON.stringify(picture, (_, value) => {
    if (!Array.isArray(value)) return value;
    attempts += value.filter(isAttempt).length;
    return value.filter((each) => !isAttempt(each));
  });
  return { picture: JSON.parse(text), attempts };
}

/**
 * Every command must end with the exit code, one error that names the thing, one hint, no secret, and change nothing,
 * but that a failover which is refused (3) is noted.
 */
async function expectRefused(fault: Fault, commands: readonly string[], exitCode: number, named: RegExp) {
  const before = apartFromAttempts(await pictureOf(lab.info));
  const runs = await runAll(fault, commands);
  for (const [i, run] of runs.entries()) {
    const told = `argus ${commands[i]}\n${run.stdout}${run.stderr}`;
    const [error = '', ...more] = linesOf(run.stderr, 'error: ');
    expect(error, told).toMatch(named);
    expect(more, told).toEqual([]);
    expect(linesOf(run.stderr, 'hint: '), told).toHaveLength(1);
    expect(run.stdout, told).toBe('');
    for (const [name, secret] of Object.entries(lab.env)) {
      if (!name.endsWith('_ID')) expect(told.includes(secret), `${name} is printed`).toBe(false);
    }
    expect(run.exitCode, told).toBe(exitCode);
  }
  const refusals = exitCode === 3 ? commands.filter((c) => c === failover).length : 0;
  expect(apartFromAttempts(await pictureOf(lab.info))).toEqual({ ...before, attempts: before.attempts + refusals });
}

const nowhere = '127.0.2.1:1';
const everything = ['config check', live, mirror, once, failover, daemon];

type Row = readonly [fault: string, what: Fault, commands: readonly string[], named: RegExp];
const rows: readonly Row[] = [
  ['no configuration', { absent: true }, everything, /^no configuration at .*bad-\d+\.yaml$/],
  [
    'broken YAML',
    { change: swap('roles:', 'roles: [') },
    ['config check', failover, daemon],
    /bad-\d+\.yaml:\d+:\d+: not valid YAML/,
  ],
  [
    'an unknown key',
    { change: swap('\ntopics:', '\ntopcis:') },
    ['config check', mirror, failover],
    /bad-\d+\.yaml:\d+:1: unknown key "topcis"; did you mean "topics"\?$/,
  ],
  [
    'a secret without a value',
    { env: { CLOUDFLARE_API_TOKEN: '' } },
    [live, failover],
    /^the secret env:CLOUDFLARE_API_TOKEN has no value/,
  ],
  [
    'a broker of the primary that is unreachable',
    { change: swap(() => lab.info.regions.mumbai.kafka.remote.singapore ?? '', nowhere) },
    [live, mirror],
    /^Kafka of mumbai: .*127\.0\.2\.1:1 /,
  ],
  [
    'a broker of the standby that is unreachable',
    { change: swap(() => lab.info.regions.singapore.kafka.inside, nowhere) },
    [live, mirror, failover, daemon],
    /^Kafka of singapore: .*127\.0\.2\.1:1 /,
  ],
  [
    'a wrong S3 key of the primary',
    { env: { MUMBAI_SECRET_ACCESS_KEY: 'wrong' } },
    [live, once, daemon],
    /^the object store of mumbai: .* refused the credentials/,
  ],
  [
    'a wrong S3 key of the standby',
    { change: swap('env:SINGAPORE_SECRET_ACCESS_KEY', 'env:WRONG_KEY'), env: { WRONG_KEY: 'wrong' } },
    [live, once, failover, daemon],
    /^the object store of singapore: .* refused the credentials/,
  ],
  [
    'a wrong S3 key of the state',
    { env: { SINGAPORE_SECRET_ACCESS_KEY: 'wrong' } },
    [live, mirror, once, failover, daemon],
    /^the state: .*s3:\/\/argus-state\/.* refused the credentials/,
  ],
  [
    'a bucket of the primary that is missing',
    { change: swap('bucket: argus-flink-checkpoints\n', 'bucket: no-such-bucket\n') },
    [live, once, daemon],
    /^the object store of mumbai: .*s3:\/\/no-such-bucket\/.*no such bucket/,
  ],
  [
    'a bucket of the standby that is missing',
    { change: swap('bucket: argus-flink-checkpoints-replica', 'bucket: no-such-bucket') },
    [live, once, failover, daemon],
    /^the object store of singapore: .*s3:\/\/no-such-bucket\/.*no such bucket/,
  ],
  [
    'a state bucket that is missing',
    { change: swap('s3://argus-state/', 's3://no-such-bucket/') },
    [mirror, failover, daemon],
    /^the state: .*s3:\/\/no-such-bucket\/.*no such bucket/,
  ],
  [
    'a wrong DNS token',
    { env: { CLOUDFLARE_API_TOKEN: 'wrong' } },
    [live, failover],
    /^the DNS provider: .*zone argus\.test.*Invalid access token/,
  ],
  [
    "a zone that isn't the token's",
    { change: swap('zone: argus.test', 'zone: argus.example') },
    [failover],
    /^the DNS provider: .*no zone "argus\.example"/,
  ],
  [
    'a jar that is missing',
    { change: swap(() => lab.info.artifacts.jobJar, './no-such.jar') },
    [live, failover],
    /^the jar of job counts: .*no-such\.jar can't be read/,
  ],
];

describe('is refused with exit code 2, one message that names it, and nothing changed:', () => {
  test.each(rows)('%s', async (_, fault, commands, named) => {
    await expectRefused(fault, commands, 2, named);
  });

  test('a topic that has more partitions on the standby', async () => {
    await withTopic(names.events.partitions + 2, () =>
      expectRefused(
        {},
        [live, mirror, failover, daemon],
        2,
        /^topic "events" has 6 partitions in singapore and 4 in mumbai/,
      ),
    );
  });
});

describe('a replica with no complete checkpoint is refused with exit code 3:', () => {
  const named = /^the replica holds no complete checkpoint of counts$/;

  test('one that is empty, and one whose checkpoint was cut off before its manifest', async () => {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = lab.info.regions.singapore.objects;
    const access = { endpoint, region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey };
    const store = s3ObjectStore({ ...access, bucket });
    await withTopic(names.events.partitions, async () => {
      await expectRefused({}, [failover], 3, named);
      await store.put(`argus/replica/counts/points/${'ab'.repeat(16)}-0000000007/_metadata`, new Uint8Array(8));
      await expectRefused({}, [failover], 3, named);
    });
    await store.close();
  });
});

test('--json gives the same refusal as one JSON document on stderr', async () => {
  const [run] = await runAll({ env: { CLOUDFLARE_API_TOKEN: 'wrong' } }, ['--json failover --yes']);
  expect(run?.exitCode).toBe(2);
  expect(JSON.parse(run?.stderr ?? '')).toMatchObject({
    error: { code: 'DnsDenied', exitCode: 2, message: expect.stringContaining('argus.test'), hint: expect.any(String) },
  });
});

/** The topic of events on the standby, with so many partitions, for as long as the act takes. */
async function withTopic(partitions: number, act: () => Promise<void>): Promise<void> {
  const admin = auditorClient(lab.info.regions.singapore.kafka.auditor).admin();
  await admin.connect();
  try {
    const topic = names.events.topic;
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
      waitForLeaders: true,
    });
    try {
      await act();
    } finally {
      await admin.deleteTopics({ topics: [topic] });
    }
  } finally {
    await admin.disconnect();
  }
}
