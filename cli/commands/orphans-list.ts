import { type Replayed, readReplayed } from '../../state/replayed.ts';
import { listRescued, type Rescued } from '../../state/rescued.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

interface Listed extends Omit<Rescued, 'topics'> {
  readonly topics: readonly {
    readonly topic: string;
    readonly orphans: number;
    readonly aborted: number;
    readonly open: number;
    readonly older: number;
    readonly where: string;
    readonly replayed: NonNullable<Replayed['done']> | 'begun' | null;
  }[];
}

/** `argus orphans list`: what failbacks have kept of old primaries, newest first. Reads the state alone. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state) => {
    const { signal } = context;
    const rescued = (await listRescued(state, { signal })).toReversed();
    const listed = await Promise.all(
      rescued.map(async (each): Promise<Listed> => {
        const topics = Object.entries(each.topics).map(async ([topic, { partitions, where }]) => {
          const sum = (pick: (p: (typeof partitions)[number]) => bigint) =>
            Number(partitions.reduce((n, p) => n + pick(p), 0n));
          const note = await readReplayed(state, each.promotion, topic, { signal });
          const replayed: Listed['topics'][number]['replayed'] = note === undefined ? null : (note.done ?? 'begun');
          return {
            topic,
            orphans: sum((p) => p.orphans),
            aborted: sum((p) => p.aborted),
            open: sum((p) => p.open),
            older: sum((p) => p.older),
            where,
            replayed,
          };
        });
        return { ...each, topics: await Promise.all(topics) };
      }),
    );
    context.print(context.json ? JSON.stringify({ rescued: listed }, bigintAsText) : render(listed));
    return 0;
  });
}

function render(listed: readonly Listed[]): string {
  if (listed.length === 0) return 'no orphans were kept: no failback has found any';
  return listed.map(renderOne).join('\n');
}

function renderOne({ promotion, region, keptBy, atMs, topics }: Listed): string {
  const out = [
    `left behind in ${region} by the promotion of roles epoch ${promotion}, kept by ${keptBy} since ${new Date(atMs).toISOString()}`,
  ];
  for (const t of topics) {
    const others = [
      ...(t.aborted > 0 ? [`${t.aborted} aborted`] : []),
      ...(t.open > 0 ? [`${t.open} open`] : []),
      ...(t.older > 0 ? [`and ${t.older} that ${keptBy} had deleted`] : []),
    ];
    const replayed =
      t.replayed === null
        ? 'not replayed'
        : t.replayed === 'begun'
          ? 'replayed in part'
          : `${t.replayed.records} replayed`;
    out.push(
      `  ${t.topic}: ${t.orphans} orphans${others.length > 0 ? ` (${others.join(', ')})` : ''}, ${replayed}; in ${t.where}`,
    );
  }
  return out.join('\n');
}
