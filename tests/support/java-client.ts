import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';

const source = fileURLToPath(new URL('./java/Logs.java', import.meta.url));

/** Writes records of every shape by Kafka's own producer: 400 of each compression, spread over the partitions. */
export async function writeByJava(bootstrap: string, topic: string, partitions: number): Promise<void> {
  await run(['write', bootstrap, topic, `${partitions}`]);
}

/** Every record that Kafka's own consumer gets, a line each with all its fields. */
export async function readByJava(
  bootstrap: string,
  topic: string,
  partitions: number,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Promise<readonly string[]> {
  const out = await run(['read', bootstrap, topic, `${partitions}`, isolation]);
  return out.trimEnd().split('\n');
}

async function run(args: readonly string[]): Promise<string> {
  const { java, kafkaLibs } = await ensureArtifacts({});
  const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=ERROR', '-cp', `${kafkaLibs}/*`, source];
  const { stdout } = await promisify(execFile)(java, [...flags, ...args], { maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}
