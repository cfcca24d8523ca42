import { spread } from '../mirror/statistics.ts';

/** One figure of a shape, of each run. */
export interface CopyRow {
  readonly shape: string;
  readonly figure: string;
  readonly argus: readonly number[];
  /** Absent where there is nothing to compare with. */
  readonly rclone?: readonly number[];
}

/** A Markdown table: medians, with the lowest and the highest. */
export function renderCopies(rows: readonly CopyRow[]): string {
  const show = (values: readonly number[] | undefined) => {
    if (values === undefined) return '—';
    const { median, min, max } = spread(values);
    return `${digits(median)} (${digits(min)}–${digits(max)})`;
  };
  const share = ({ argus, rclone }: CopyRow) =>
    rclone === undefined ? '—' : (spread(argus).median / spread(rclone).median).toFixed(2);
  return [
    '| shape | figure | Argus | rclone | Argus / rclone |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.shape} | ${row.figure} | ${show(row.argus)} | ${show(row.rclone)} | ${share(row)} |`),
  ].join('\n');
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
