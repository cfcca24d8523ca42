import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { basicRoutes } from '../../daemon/http/basic-routes.ts';
import { config } from './runbooks/failover/world.ts';

const file = (path: string) => readFile(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

describe('the manifest for Kubernetes', async () => {
  const documents = parseAllDocuments(await file('kubernetes/argus-daemon.yaml')).map((d) => d.toJS());
  const deployment = documents.find((d) => d.kind === 'Deployment');
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;

  test('probes paths that the daemon serves to anybody, at its own port', () => {
    const pages = {
      metrics: async () => ({ contentType: '', body: '' }),
      health: () => ({ ok: true }),
      ready: () => true,
    };
    const open = basicRoutes(pages, { terse: true }).filter((r) => r.access === 'open');
    const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name].httpGet);
    for (const { path, port } of probes) {
      expect(open.map((r) => r.path)).toContain(path);
      expect(container.ports).toContainEqual({ name: port, containerPort: config.daemon.port });
    }
  });

  test('gives the daemon more time to end than it takes, and a Service that finds it', () => {
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(20);
    for (const kind of ['Service', 'PodDisruptionBudget']) {
      const { selector } = documents.find((d) => d.kind === kind).spec;
      expect(pod.metadata.labels).toMatchObject(selector.matchLabels ?? selector);
    }
    expect(pod.metadata.labels).toMatchObject(deployment.spec.selector.matchLabels);
  });

  test('lets it do nothing that it does not need', () => {
    expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(pod.spec.securityContext.runAsNonRoot).toBe(true);
  });
});

test('the unit for systemd hears Argus, and waits for it', async () => {
  const unit = await file('systemd/argus.service');
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];
  expect([value('Type'), value('NotifyAccess'), value('ExecReload')]).toEqual([
    'notify',
    'all',
    '/bin/kill -HUP $MAINPID',
  ]);
  expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(20);
  // Node compiles while it runs.
  expect(unit).not.toContain('MemoryDenyWriteExecute');
});
