import { mkdirSync } from 'node:fs';

/** Flags for a small JVM that starts quickly: one compiler tier, one collector thread, no files outside its folder. */
export function jvmFlags(options: {
  readonly heapMb: number;
  readonly tmpDir: string;
  readonly classArchive?: string | undefined;
}): readonly string[] {
  mkdirSync(options.tmpDir, { recursive: true });
  return [
    `-Xmx${options.heapMb}m`,
    '-Xms64m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    ...(options.classArchive === undefined ? [] : [`-XX:SharedArchiveFile=${options.classArchive}`]),
    '-XX:-UsePerfData',
    '-XX:MaxMetaspaceSize=160m',
    '-XX:ReservedCodeCacheSize=64m',
    '-XX:+ExitOnOutOfMemoryError',
    `-Djava.io.tmpdir=${options.tmpDir}`,
    '-Djava.net.preferIPv4Stack=true',
  ];
}
