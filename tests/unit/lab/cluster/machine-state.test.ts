import { expect, test } from 'vitest';
import { diffMachine, type MachineState } from '../../../support/machine-state.ts';

const clean: MachineState = {
  processes: [],
  namespaces: ['net:[1]'],
  mounts: ['/dev/vda / ext4'],
  cgroups: ['/sys/fs/cgroup/pids/user'],
  packetFilters: [],
  routes: ['default via 192.0.2.1'],
  links: ['lo', 'eth0'],
  settings: ['kernel/panic = 1'],
  files: [],
};

test('a machine that is as before has no difference, whatever the order', () => {
  expect(diffMachine(clean, { ...clean, links: ['eth0', 'lo'] })).toEqual([]);
});

test.each(Object.keys(clean) as (keyof MachineState)[])('one more of %s is named, and one less', (kind) => {
  const more = { ...clean, [kind]: [...clean[kind], 'left'] };
  expect(diffMachine(clean, more)).toEqual([`${kind}: + left`]);
  expect(diffMachine(more, clean)).toEqual([`${kind}: - left`]);
});

test('a changed setting is named with both of its values', () => {
  expect(diffMachine(clean, { ...clean, settings: ['kernel/panic = 10'] })).toEqual([
    'settings: - kernel/panic = 1',
    'settings: + kernel/panic = 10',
  ]);
});
