import { expect, test } from 'vitest';
import { freeAddressPlan } from '../../../../lab/cluster/address-plan.ts';
import { baseSpec, containerdConfig, kubeletConfig, networkConfig } from '../../../../lab/cluster/node-config.ts';

const addresses = freeAddressPlan([], []);
if (addresses === undefined) throw new Error('no addresses');
const place = { dir: '/lab/mumbai', addresses };
const tools = {
  containerd: '/t/containerd',
  ctr: '/t/ctr',
  runc: '/t/runc',
  nft: '/t/nft',
  networkPlugins: '/t/cni',
  binFolders: [],
  libraryFolders: [],
  busyboxImage: '/t/busybox.tar',
};

test('everything that a node keeps lies in its folder, its tools in the cache', () => {
  const texts = [containerdConfig(place, tools), networkConfig(place), kubeletConfig(place)].join('\n');
  const paths = [...texts.matchAll(/"(?:unix:\/\/)?(\/[^"]*)"/g)].map(([, path]) => path ?? '');
  expect(paths.length).toBeGreaterThan(8);
  for (const path of paths) expect(path).toMatch(/^\/(lab\/mumbai|t|run\/containerd|argus-1)(\/|$)/);
});

test('containers get the default without limits of resources', () => {
  const spec = { ociVersion: '1.0.2', process: { cwd: '/', rlimits: [{ type: 'RLIMIT_NOFILE' }] }, mounts: [] };
  expect(JSON.parse(baseSpec(JSON.stringify(spec)))).toEqual({
    ociVersion: '1.0.2',
    process: { cwd: '/' },
    mounts: [],
  });
});
