import { expect, test } from 'vitest';
import { sharedLibraries } from '../../../../lab/setup/flink-image.ts';

test('the libraries of several binaries are each named once, and neither the kernel’s nor a missing one', () => {
  const output = [
    '/bin/bash:',
    '\tlinux-vdso.so.1 (0x00007fb290287000)',
    '\tlibtinfo.so.6 => /lib/x86_64-linux-gnu/libtinfo.so.6 (0x00007fb290271000)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fb28fc1e000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007fb290289000)',
    '/opt/java/lib/libawt.so:',
    '\tlibX11.so.6 => not found',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fdbf981e000)',
    'static:',
    '\tstatically linked',
  ];
  expect(sharedLibraries(output.join('\n'))).toEqual([
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/libtinfo.so.6',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});
