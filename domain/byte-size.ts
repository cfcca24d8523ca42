const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** `4096`, `500KB`, `10MB`, `50MiB`, `1.5GB` → whole bytes; undefined for anything else, and below 1. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const unit = units[match?.[2]?.toUpperCase() ?? '?'];
  if (!match || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes for people, in decimal units: `50 MB`, `1.5 GB`. */
export function formatByteSize(bytes: number): string {
  for (const [unit, size] of [['GB', 1e9] as const, ['MB', 1e6] as const, ['KB', 1e3] as const]) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}
