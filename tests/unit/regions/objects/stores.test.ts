import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileObjectStore } from '../../../../regions/objects/file-object-store.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { storeAt } from '../../../../regions/objects/store-at.ts';
import { objectStoreContract } from '../../../contract/object-store.suite.ts';

objectStoreContract('memory', async () => ({ store: memoryObjectStore('test'), close: async () => {} }));

objectStoreContract('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'argus-file-store-'));
  return { store: fileObjectStore(folder), close: () => rm(folder, { recursive: true, force: true }) };
});

objectStoreContract('a prefix of another', async () => ({
  store: storeAt(memoryObjectStore('test'), 'drills/'),
  close: async () => {},
}));
