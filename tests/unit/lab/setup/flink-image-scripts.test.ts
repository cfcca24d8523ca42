import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../../../lab/setup/flink-image/flink-process.sh', import.meta.url));
let conf: string;

beforeEach(() => {
  conf = mkdtempSync(join(tmpdir(), 'argus-flink-conf-'));
});
afterEach(() => rmSync(conf, { recursive: true }));

const setting = (key: string) =>
  execFileSync('bash', ['-c', '. "$1"; setting "$2"', 'bash', script, key], {
    env: { ...process.env, FLINK_CONF_DIR: conf },
    encoding: 'utf8',
  });

test.each([
  ['as operator 1.7.0 writes it', 'env.java.opts.all: -XX:+UseSerialGC -Da=b: c\n', '-XX:+UseSerialGC -Da=b: c'],
  ['in quotes, as newer ones do', "env.java.opts.all: '-XX:+UseSerialGC'\n", '-XX:+UseSerialGC'],
  ['without an end of line', 'a: b\nenv.java.opts.all: -Xint', '-Xint'],
  ['not that of a longer key', 'env.java.opts.all.more: -Xint\nmy.env.java.opts.all: -Xint\n', ''],
])("the image's scripts read an option of the JVM: %s", (_, text, expected) => {
  writeFileSync(join(conf, 'flink-conf.yaml'), text);
  expect(setting('env.java.opts.all')).toBe(expected);
});

test("the image's scripts read the configuration of newer releases, too, and none at all", () => {
  expect(setting('env.java.opts.all')).toBe('');
  writeFileSync(join(conf, 'config.yaml'), 'env.java.opts.all: "-Xint"\n');
  expect(setting('env.java.opts.all')).toBe('-Xint');
});
