import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadedConfig } from '../../cli/config/load.ts';
import { openFaultHooks } from '../../cli/drill/open-faults.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { drillSection } from '../../domain/drill-config.ts';
import { faultAs, faultCatalogue } from '../../drills/faults/catalogue.ts';
import { runFaultDrill } from '../../drills/faults/run.ts';
import { probeFlink } from '../../health/probes/flink.ts';
import { flinkKubernetesJobs } from '../../regions/flink/flink-kubernetes-jobs.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { buildTimeoutMs, namespaceNamed, startTestKubernetes, type TestKubernetes } from '../support/kubernetes-api.ts';
import { fixtureFile } from '../support/kubernetes-fixtures.ts';
import { calmLook, calmSettings, notesIn } from '../unit/drills/faults/fault-world.ts';

// A real API server, stopped and gone on with by real hooks; only Flink is looked at for real, through it.
let cluster: TestKubernetes;

beforeAll(async () => {
  cluster = await startTestKubernetes();
  await cluster.admin.apply(namespaceNamed('argus-data'));
}, buildTimeoutMs);

afterAll(() => cluster?.stop());

test('a frozen API server is found unknown, not failed, and the drill heals it', async () => {
  const { pid, kubeconfig } = cluster.server;
  const program = (name: string, line: string) => ({ run: ['sh', '-c', `${line}; echo ${name} $ARGUS_FROM`] });
  const check = { run: ['sh', '-c', `! grep -q '^State:.T' /proc/${pid}/status`] };
  const config = {
    drill: drillSection.parse({
      faults: {
        'api-server-frozen': {
          inject: program('frozen', `kill -STOP ${pid}; test "$ARGUS_SECONDS" -gt 60`),
          heal: program('thawed', `kill -CONT ${pid}`),
          check,
        },
      },
    }),
  } as LoadedConfig['config'];
  const fault = faultAs(faultCatalogue['api-server-frozen'], { hold: 5_000, verdicts: [] });
  const hooks = await openFaultHooks({ config, folder: '/' }, process.env, fault.name);
  const kubernetes = await cluster.connect({ kind: 'kubeconfig', files: [kubeconfig] });
  const flink = flinkKubernetesJobs({
    region: 'mumbai',
    kubernetes,
    jobs: [
      {
        ...{ name: 'counts', namespace: 'argus-data', deployment: 'argus-flink' },
        manifest: { kind: 'path', path: fixtureFile('flink-cluster-standby.yaml') },
        restorePath: { configMap: 'flink-config', key: 'restore-path' },
      },
    ],
    rest: () => flinkRestJobs({ region: 'mumbai', url: 'http://127.0.0.1:1' }),
  });
  const clock = wallClock;
  const seen: string[] = [];
  const store = memoryObjectStore('drills');
  const notes = notesIn(store);
  const report = await runFaultDrill(
    { state: store, clock, signal: AbortSignal.timeout(170_000), holder: 'me' },
    {
      ...{ fault, notes, calm: calmSettings, occasion: {} },
      hooks: hooks!,
      about: { trigger: { kind: 'person' }, from: 'mumbai', to: 'singapore' },
      eyes: {
        async look() {
          const { status } = await probeFlink(flink, ['counts'], { clock, deadlineMs: 2_000 });
          seen.push(status);
          const calm = calmLook();
          const atMs = clock.now();
          const primary = { ...calm.parts.primary, flink: status };
          const bad = status === 'ok' ? [] : [`flink of mumbai is ${status}`];
          return { ...calm, atMs, bad, parts: { ...calm.parts, primary }, points: { counts: atMs } };
        },
        compare: async () => ({ kind: 'skipped', why: 'there is no mirror here' }),
      },
    },
  );
  expect(report, JSON.stringify(report)).toMatchObject({
    outcome: 'passed',
    faults: [{ met: true, healed: true }, {}, {}, {}, {}, {}, {}, {}],
  });
  expect([...new Set(seen)]).toEqual(['ok', 'unknown']);
  expect(await notes.list(AbortSignal.timeout(1_000))).toEqual([]);
});
