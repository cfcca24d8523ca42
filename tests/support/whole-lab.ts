import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, type LabOptions, startLab } from '../../lab/lab.ts';

/** A whole lab for one file of tests, in a folder of its own; it ends with `down()`, or with this process. */
export function startTestLab(options: Pick<LabOptions, 'flink' | 'parts' | 'observers' | 'drills'> = {}): Promise<Lab> {
  return startLab({ ...options, dir: mkdtempSync(join(tmpdir(), 'argus-e2e-')) });
}
