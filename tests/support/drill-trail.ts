import { readFileSync } from 'node:fs';
import { authorizerLogPath } from '../../lab/components/kafka.ts';
import { accessLogPath } from '../../lab/components/versitygw.ts';
import { type LabInfo, names, regionNames } from '../../lab/lab-info.ts';

/** Something that was written, by the log of the server that took it. */
export interface Written {
  /** `User:drill`, `lab-singapore`. */
  readonly by: string;
  /** `WRITE Topic argus.drill.….metrics`, `s3_PutObject argus-flink-checkpoints-replica/argus/drills/…`. */
  readonly what: string;
  /** The name alone: topic, group, transactional id or key. */
  readonly name: string;
}

const kafkaWrites = ['WRITE', 'CREATE', 'DELETE', 'ALTER', 'ALTER_CONFIGS'];

/**
 * All that the standby's broker allowed anybody to change, each once. A commit of offsets needs READ on the group, and is
 * told as `COMMIT`.
 */
export function writtenToBroker(info: LabInfo): readonly Written[] {
  const line =
    /Principal = (\S+) is Allowed operation = (\w+) from \S+ = \S+ on resource = (\w+):\w+:(\S+) for request = (\w+)/;
  return each(authorizerLogPath(info, names.standby), (text) => {
    const [, by = '', operation = '', kind = '', name = '', request = ''] = line.exec(text) ?? [];
    const commits = kind === 'Group' && /OffsetCommit/.test(request);
    if (!commits && !kafkaWrites.includes(operation)) return undefined;
    return { by, name, what: `${commits ? 'COMMIT' : operation} ${kind} ${name}` };
  });
}

/**
 * All that the regions' stores took from anybody, each once. The keys of a DeleteObjects are in its body, which no log
 * has: the bucket's policy judges each of them.
 */
export function writtenToStores(info: LabInfo): readonly Written[] {
  return regionNames.flatMap((region) =>
    each(accessLogPath(info, region), (text) => {
      // Source: versitygw's access log: owner, bucket, time in two words, address, account, request, call, key, URI, status.
      const [, bucket, , , , by = '', , call = '', name = '', , status] = text.split(' ');
      if (!/^s3_(Put|DeleteObject$|Copy|CompleteMultipart)/.test(call) || status !== '200') return undefined;
      return { by, name, what: `${call} ${bucket}/${name}` };
    }),
  );
}

function each(path: string, read: (line: string) => Written | undefined): readonly Written[] {
  const found = new Map<string, Written>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const written = read(line);
    if (written !== undefined) found.set(`${written.by} ${written.what}`, written);
  }
  return [...found.values()];
}
