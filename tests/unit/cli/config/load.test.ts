import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configPath, loadConfig, pathFrom, resolveSecret } from '../../../../cli/config/load.ts';
import { sampleYaml } from '../sample-config.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'argus-config-'));
  writeFileSync(join(dir, 'argus.yaml'), sampleYaml);
  writeFileSync(join(dir, 'key'), 's3cret\n');
  writeFileSync(join(dir, 'empty'), '\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('configPath', () => {
  it('takes the flag before the environment before ./argus.yaml', () => {
    expect(configPath('a.yaml', { ARGUS_CONFIG: 'b.yaml' })).toBe('a.yaml');
    expect(configPath(undefined, { ARGUS_CONFIG: 'b.yaml' })).toBe('b.yaml');
    expect(configPath(undefined, { ARGUS_CONFIG: '' })).toBe('argus.yaml');
  });
});

describe('loadConfig', () => {
  it('gives the configuration and the absolute folder that relative paths start from', async () => {
    const loaded = await loadConfig(join(dir, 'argus.yaml'));
    expect(loaded.folder).toBe(dir);
    expect(pathFrom(loaded.folder, loaded.config.jobs[0]?.submit?.jar ?? '')).toBe(join(dir, 'counts.jar'));
  });

  it('ends with exit code 2 and a hint when the file is missing', async () => {
    await expect(loadConfig(join(dir, 'none.yaml'))).rejects.toMatchObject({
      code: 'ConfigMissing',
      exitCode: 2,
      message: `no configuration at ${join(dir, 'none.yaml')}`,
      hint: expect.stringContaining('--config'),
    });
  });
});

describe('resolveSecret', () => {
  it('reads a variable, or a file relative to the configuration without its last line break', async () => {
    expect(await resolveSecret('env:KEY', dir, { KEY: 'abc' })).toBe('abc');
    expect(await resolveSecret('file:key', dir, {})).toBe('s3cret');
  });

  it.each([
    ['env:KEY', 'the secret env:KEY has no value: the variable KEY is not set'],
    ['file:none', "the secret file:none can't be read (ENOENT)"],
    ['file:empty', 'the secret file:empty has no value: the file is empty'],
  ])('names a reference that leads nowhere (%s), exit code 2', async (reference, message) => {
    await expect(resolveSecret(reference, dir, {})).rejects.toMatchObject({
      code: 'SecretMissing',
      exitCode: 2,
      message,
    });
  });
});
