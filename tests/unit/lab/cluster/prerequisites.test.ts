import { expect, test } from 'vitest';
import { type ClusterMachine, missingForCluster } from '../../../../lab/cluster/prerequisites.ts';

const machine: ClusterMachine = {
  platform: 'linux',
  root: true,
  cgroups: ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'devices', 'freezer', 'name=systemd'],
  overlay: true,
  absentPrograms: [],
  writableSettings: true,
  freeBytes: 4 * 2 ** 30,
};

test('a machine with everything lacks nothing', () => {
  expect(missingForCluster(machine)).toEqual([]);
});

test.each<[Partial<ClusterMachine>, RegExp]>([
  [{ root: false }, /^root: run the same as root/],
  [{ cgroups: ['memory'] }, /controllers cpu, cpuacct, cpuset, pids, devices, freezer below .*boot with/],
  [{ overlay: false }, /modprobe overlay/],
  [{ absentPrograms: ['nsenter', 'dpkg'] }, /^nsenter, dpkg in PATH: .*apt-get install/],
  [{ writableSettings: false }, /\/proc\/sys/],
  [{ freeBytes: 2 ** 29 }, /^1\.5 GiB .* 512 MiB are free/],
  [{ platform: 'darwin', root: false }, /^Linux: this is darwin/],
])('%j is told with what to do', (change, expected) => {
  const missing = missingForCluster({ ...machine, ...change });
  expect(missing).toHaveLength(1);
  expect(missing[0]).toMatch(expected);
});

test('all that is missing is told at once', () => {
  expect(missingForCluster({ ...machine, root: false, cgroups: [], overlay: false })).toHaveLength(3);
});
