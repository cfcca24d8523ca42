import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freeAddressPlan } from '../../../../lab/cluster/address-plan.ts';
import {
  isRecorded,
  type RegionRecord,
  readRecords,
  removeRecord,
  writeRecord,
} from '../../../../lab/cluster/region-record.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'argus-test-records-'));
  folder = join(parent, 'records');
});
afterEach(() => rmSync(parent, { recursive: true }));

function record(name: string, taken: readonly number[]): RegionRecord {
  const addresses = freeAddressPlan([], taken);
  if (addresses === undefined) throw new Error('no addresses');
  return { labId: 'lab', name, dir: `/x/${name}`, addresses, owner: { pid: 1, startedAt: '2' }, bootId: 'this boot' };
}

test('what is written is read again, by nobody else, and the settings are kept until the last region is struck out', () => {
  const mumbai = record('mumbai', []);
  const singapore = record('singapore', [1]);
  expect(readRecords(folder)).toEqual([]);
  writeRecord(mumbai, folder);
  writeRecord(singapore, folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readRecords(folder)).toEqual([mumbai, singapore]);
  // Another boot: the settings of this machine must not be touched by a test.
  removeRecord(mumbai, 'another boot', folder);
  expect(readdirSync(folder).sort()).toEqual(['2.json', 'settings.json']);
  removeRecord(mumbai, 'another boot', folder);
  expect(readRecords(folder)).toEqual([singapore]);
  removeRecord(singapore, 'another boot', folder);
  expect(existsSync(folder)).toBe(false);
  removeRecord(singapore, 'another boot', folder);
});

test('a region that was ended is not recorded, also when another one has its slot', () => {
  const mumbai = record('mumbai', []);
  expect(isRecorded(mumbai, folder)).toBe(false);
  writeRecord(mumbai, folder);
  expect(isRecorded(mumbai, folder)).toBe(true);
  writeRecord({ ...mumbai, labId: 'another lab' }, folder);
  expect(isRecorded(mumbai, folder)).toBe(false);
});
