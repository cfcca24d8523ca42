import { expect, test } from 'vitest';
import { packageFiles } from '../../../../lab/setup/debian-packages.ts';

test('takes the names of package files from what apt prints, sorted, and nothing else', () => {
  const printed = [
    "'mirror/pool/main/r/runc/runc_1.1.5%2bds1_amd64.deb' runc_1.1.5+ds1_amd64.deb 2710248 SHA256:1c28",
    "'mirror/pool/main/c/containerd/containerd_1.6.20%7eds1_amd64.deb' containerd_1.6.20~ds1_amd64.deb 2590 SHA256:8669",
    'W: a warning',
    '',
  ].join('\n');
  expect(packageFiles(printed)).toEqual(['containerd_1.6.20~ds1_amd64.deb', 'runc_1.1.5+ds1_amd64.deb']);
});
