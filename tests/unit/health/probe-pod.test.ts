import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { judgeProbe, type ProbeTarget, probePod, probeTargets, readProbe } from '../../../health/probe-pod.ts';
import type { KubernetesObject } from '../../../regions/kubernetes/kubernetes-api.ts';

const deployment = (spec: object): KubernetesObject => ({
  apiVersion: 'flink.apache.org/v1beta1',
  kind: 'FlinkDeployment',
  metadata: { name: 'argus-flink' },
  spec: { image: 'flink:1', serviceAccount: 'flink', ...spec },
});
const region = { name: 'singapore', bootstrap: ['b1:9092', 'b2:9092'], endpoint: 'http://10.0.0.1:7070' };
const brief = (targets: readonly ProbeTarget[]) => targets.map(({ what, host, port }) => `${what} ${host}:${port}`);

describe('what the pods must reach', () => {
  test('bucket and brokers of the region', () => {
    expect(brief(probeTargets(deployment({}), region))).toEqual([
      'bucket 10.0.0.1:7070',
      'kafka b1:9092',
      'kafka b2:9092',
    ]);
  });

  test("the manifest's own endpoint, and brokers among the job's arguments, each once", () => {
    const spec = {
      flinkConfiguration: { 's3.endpoint': 'https://bucket.example' },
      job: { args: ['--brokers', 'b1:9092,inner:9094', '--kafka=arg:1', '--out', 'metrics:all', '--at', '12:30'] },
    };
    expect(brief(probeTargets(deployment(spec), region))).toEqual([
      'bucket bucket.example:443',
      'kafka b1:9092',
      'kafka inner:9094',
      'kafka arg:1',
      'kafka b2:9092',
    ]);
  });
});

describe('the pod', () => {
  test('has image, account and place of the job, a size, and an end of its own', () => {
    const template = { podTemplate: { spec: { nodeSelector: { disk: 'fast' }, containers: [{ name: 'x' }] } } };
    const pod = probePod(deployment({ imagePullPolicy: 'Never', ...template }), { namespace: 'n', name: 'p' }, []);
    expect(pod).toMatchObject({
      metadata: { namespace: 'n', name: 'p' },
      spec: {
        serviceAccountName: 'flink',
        nodeSelector: { disk: 'fast' },
        restartPolicy: 'Never',
        activeDeadlineSeconds: 120,
        containers: [{ image: 'flink:1', imagePullPolicy: 'Never', resources: { limits: { memory: '64Mi' } } }],
      },
    });
  });

  test('its command tells what answers and what does not, whatever the names are', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const targets: ProbeTarget[] = [
      { what: 'kafka', host: '127.0.0.1', port, from: 'a' },
      { what: 'bucket', host: '127.0.0.1', port: 1, from: 'b' },
      { what: 'kafka', host: 'nowhere.invalid', port: 9, from: 'c' },
    ];
    const pod = probePod(deployment({}), { namespace: 'n', name: 'p' }, targets);
    const { containers } = pod.spec as { containers: [{ command: [string, ...string[]] }] };
    const [command, ...args] = containers[0].command;
    expect(command).toBe('bash');
    // An image need not have any other program.
    const { stdout } = await promisify(execFile)('/bin/bash', args, { env: { PATH: '/nowhere' } });
    server.close();
    const seen = readProbe(stdout, targets);
    expect(seen.map(({ failed }) => failed === undefined)).toEqual([true, false, false]);
    const findings = judgeProbe({ job: 'counts', namespace: 'n', probed: { seen } });
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'refused BucketUnreachable',
      'refused KafkaUnreachable',
    ]);
    expect(findings[0]?.message).toMatch(/^a pod in n can't reach the bucket at 127.0.0.1:1 \(b\): .*refused/i);
  });

  test('what the pod did not come to say has failed', () => {
    const target: ProbeTarget = { what: 'kafka', host: 'b', port: 1, from: 'a' };
    expect(readProbe('', [target])[0]?.failed).toBe('the pod said nothing of it');
  });

  test('without a pod it is not known', () => {
    const unseen = { code: 'KubernetesForbidden', message: 'create pods' };
    expect(judgeProbe({ job: 'counts', namespace: 'n', probed: { unseen } })).toMatchObject([
      { severity: 'warning', code: 'ProbeUnknown' },
    ]);
  });
});
