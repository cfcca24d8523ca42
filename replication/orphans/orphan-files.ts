import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { fromLine, type OrphanLine, type RescueOrigin, toLine } from './orphan-record.ts';
import type { OrphanStore } from './orphan-store.ts';

/**
 * Keeps orphans as JSON lines in a bucket, one file for each batch, written once:
 *
 *     argus/orphans/<roles epoch, 10 digits>-<region>/<topic>/<partition>/<reason>-<first offset, 20 digits>.jsonl
 *
 * A file's name is its first record's offset, so that of two writers at the same place one is refused.
 */
export const ORPHANS_ROOT = 'argus/orphans/';

function folderOf({ topic, partition }: TopicPartition, { region, promotion }: RescueOrigin): string {
  return `${ORPHANS_ROOT}${String(promotion).padStart(10, '0')}-${region}/${topic}/${partition}/`;
}

/** Keeps orphans in a bucket, of the active side or any other. */
export function orphanFiles(store: ObjectStore): OrphanStore {
  return {
    describe: (topic) => `${store.uri}/${ORPHANS_ROOT}…/${topic}/`,
    async open() {
      // A file is written whole or not at all, and only once: there is nothing to prepare and nobody to shut out.
    },
    async *read(tp, origin, signal) {
      const folder = folderOf(tp, origin);
      const { objects } = await store.list(folder, { signal });
      for (const { key } of objects) {
        const found = await store.get(key, { signal });
        if (found === undefined) continue;
        for (const line of Buffer.from(found.body).toString('utf8').split('\n')) {
          if (line !== '') yield fromLine(JSON.parse(line) as OrphanLine);
        }
      }
    },
    async append(tp, origin, records, signal) {
      const [first] = records;
      if (!first) return;
      const key = `${folderOf(tp, origin)}${first.reason}-${first.offset.toString().padStart(20, '0')}.jsonl`;
      const body = Buffer.from(records.map((r) => `${JSON.stringify(toLine(r, tp))}\n`).join(''));
      const put = await store.put(key, body, { ifAbsent: true, signal });
      if (put.kind === 'written') return;
      // An uncertain answer was repeated: the same bytes are this very file.
      const there = await store.get(key, { signal });
      if (there !== undefined && Buffer.compare(there.body, body) === 0) return;
      throw new ArgusError('OrphansConflict', `${store.uri}/${key} is there already, with other records`, {
        hint: 'does another failback run? see `argus runs list`; else run it again',
        exitCode: 4,
      });
    },
    close: () => undefined,
  };
}
