import type { ZoneRecord } from './dns-zone.ts';
import { ZoneError } from './record-rules.ts';

/** One page, with the numbers that Cloudflare puts into `result_info`. */
export interface Page<T> {
  readonly result: readonly T[];
  readonly info: {
    readonly page: number;
    readonly per_page: number;
    readonly count: number;
    readonly total_count: number;
    readonly total_pages: number;
  };
}

/** Cuts page `page` (from 1) of `per_page` out of a list; a `ZoneError` on numbers out of range. */
export function paginate<T>(
  all: readonly T[],
  query: URLSearchParams,
  perPage: { default: number; max: number },
): Page<T> {
  const page = wholeNumber(query.get('page'), 1);
  const size = wholeNumber(query.get('per_page'), perPage.default);
  if (size > perPage.max) throw new ZoneError(400, 1004, `per_page must be at most ${perPage.max}.`);
  const result = all.slice((page - 1) * size, page * size);
  return {
    result,
    info: {
      page,
      per_page: size,
      count: result.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / size),
    },
  };
}

function wholeNumber(text: string | null, fallback: number): number {
  if (text === null) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new ZoneError(400, 1004, 'page and per_page are numbers from 1.');
  return value;
}

type Test = (record: ZoneRecord) => boolean;

const compare: Record<string, (value: string, wanted: string) => boolean> = {
  exact: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startswith: (value, wanted) => value.startsWith(wanted),
  endswith: (value, wanted) => value.endsWith(wanted),
};

/**
 * The records that a list request asks for. `name` and `content` filter by the whole text (`name`, `name.exact`,
 * also written `name[exact]`) or a part of it; `match=any` joins the filters by "or". Unknown parameters don't filter.
 */
export function filterRecords(records: readonly ZoneRecord[], query: URLSearchParams): ZoneRecord[] {
  const tests: Test[] = [];
  for (const [rawKey, value] of query) {
    const [field = '', how = 'exact'] = rawKey.replace(/\[(\w+)\]$/, '.$1').split('.');
    const matches = compare[how];
    if (field === 'name' && matches) tests.push((r) => matches(r.name, value.toLowerCase().replace(/\.$/, '')));
    else if (field === 'content' && matches) tests.push((r) => matches(r.content, value));
    else if (field === 'type') tests.push((r) => r.type === value);
    else if (field === 'proxied') tests.push((r) => String(r.proxied) === value);
    else if (field === 'search') tests.push((r) => r.name.includes(value) || r.content.includes(value));
  }
  const any = query.get('match') === 'any' && tests.length > 0;
  const kept = records.filter((r) => (any ? tests.some((t) => t(r)) : tests.every((t) => t(r))));
  return sorted(kept, query.get('order'), query.get('direction') === 'desc');
}

function sorted(records: ZoneRecord[], order: string | null, descending: boolean): ZoneRecord[] {
  const field = (['type', 'name', 'content', 'ttl', 'proxied'] as const).find((f) => f === order);
  if (field === undefined) return records;
  const sign = descending ? -1 : 1;
  return records.toSorted((a, b) => (a[field] === b[field] ? 0 : a[field] < b[field] ? -sign : sign));
}
