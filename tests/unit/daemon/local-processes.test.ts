import { expect, test } from 'vitest';
import { localProcesses, localProcessesOf, type ProcessTable } from '../../../daemon/local-processes.ts';

const coded = (code: string) => Object.assign(new Error(code), { code });

/** proc_pid_stat(5): the start time is field 22. */
const stat = (pid: number, started: number, name = 'node') =>
  `${pid} (${name}) S 1 1 1 0 -1 4194304 0 0 0 0 1 1 0 0 20 0 11 0 ${started} 1 1 1\n`;

const files: Readonly<Record<string, string>> = {
  '/etc/machine-id': 'aaaa\n',
  '/proc/sys/kernel/random/boot_id': 'bbbb\n',
  '/proc/self/stat': stat(8, 80),
};
const links: Readonly<Record<string, string>> = {
  '/proc/self/ns/pid': 'pid:[4026531836]',
  '/proc/self/ns/time': 'time:[4026531834]',
};

/** Process 8 of a system on which only some others are. */
function table(over: {
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly links?: Readonly<Record<string, string | undefined>>;
  readonly host?: string;
  readonly probe?: (pid: number) => void;
}): ProcessTable {
  const from = (all: Readonly<Record<string, string | undefined>>) => (path: string) => {
    const found = all[path];
    if (found === undefined) throw coded('ENOENT');
    return found;
  };
  return {
    pid: 8,
    hostname: () => over.host ?? 'laptop',
    read: from({ ...files, ...over.files }),
    link: from({ ...links, ...over.links }),
    probe:
      over.probe ??
      (() => {
        throw coded('ESRCH');
      }),
  };
}

const alive = () => undefined;
const dead = { ...localProcessesOf(table({})).own()!, pid: 7, started: '70' };

test.each([
  ['not there any more', {}, true],
  ['there', { probe: alive, files: { '/proc/7/stat': stat(7, 70) } }, false],
  [
    'there, with a name that looks like fields',
    { probe: alive, files: { '/proc/7/stat': stat(7, 70, 'a) S 9 (b') } },
    false,
  ],
  ['there as another process with the same id', { probe: alive, files: { '/proc/7/stat': stat(7, 71) } }, true],
  ['there, but hidden', { probe: alive }, false],
  [
    'another user`s, hidden',
    {
      probe: () => {
        throw coded('EPERM');
      },
    },
    false,
  ],
  [
    'another user`s, begun later',
    {
      probe: () => {
        throw coded('EPERM');
      },
      files: { '/proc/7/stat': stat(7, 71) },
    },
    true,
  ],
  ['there, with a line that nobody can read', { probe: alive, files: { '/proc/7/stat': '7 (node' } }, false],
  [
    'asked for in vain',
    {
      probe: () => {
        throw coded('EINVAL');
      },
    },
    false,
  ],
  ['on another machine', { files: { '/etc/machine-id': 'cccc' } }, false],
  ['of a machine without an id', { files: { '/etc/machine-id': undefined } }, false],
  ['of an image without an id', { files: { '/etc/machine-id': '\n' } }, false],
  ['of another boot', { files: { '/proc/sys/kernel/random/boot_id': 'dddd' } }, false],
  ['in another container', { links: { '/proc/self/ns/pid': 'pid:[4026532000]' } }, false],
  ['under another count of time', { links: { '/proc/self/ns/time': 'time:[4026532001]' } }, false],
  ['on a host of another name', { host: 'other' }, false],
  ['behind another namespace`s /proc', { files: { '/proc/self/stat': stat(4_711, 80) } }, false],
] as const)('a holder is gone only when that is certain: %s', (_what, over, gone) => {
  expect(localProcessesOf(table(over)).isGone(dead)).toBe(gone);
});

test('a system that has no /proc tells nothing', () => {
  const bare = localProcessesOf(table({ files: { '/proc/self/stat': undefined } }));
  expect(bare.own()).toBeUndefined();
  expect(bare.isGone(dead)).toBe(false);
});

test('old kernels without namespaces of time are told apart by the rest', () => {
  const old = localProcessesOf(table({ links: { '/proc/self/ns/time': undefined } }));
  expect(old.own()).toMatchObject({ pid: 8, started: '80' });
  expect(old.isGone({ ...old.own()!, pid: 7 })).toBe(true);
});

test('of itself, the running process says that it is there; nothing of the machine shows', () => {
  const own = localProcesses.own();
  if (own === undefined) return;
  expect(own.pid).toBe(process.pid);
  expect(own.system).toMatch(/^[0-9a-f]{32}$/);
  expect(localProcesses.isGone(own)).toBe(false);
  expect(localProcesses.isGone({ ...own, started: `${own.started}0` })).toBe(true);
});
