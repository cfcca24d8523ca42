import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigThrough } from '../../../../lab/cluster-lab/cluster-files.ts';

test('the access through a link keeps authority and user, and knows the name in the certificate', () => {
  const direct = `clusters:
  - name: region
    cluster: { server: "https://10.201.1.2:6443", certificate-authority-data: abcd }
users:
  - { name: admin, user: { token: secret } }
`;
  expect(parse(kubeconfigThrough(direct, '127.0.2.1:20040'))).toEqual({
    clusters: [
      {
        name: 'region',
        cluster: {
          server: 'https://127.0.2.1:20040',
          'certificate-authority-data': 'abcd',
          'tls-server-name': 'kubernetes.default.svc',
        },
      },
    ],
    users: [{ name: 'admin', user: { token: 'secret' } }],
  });
});
