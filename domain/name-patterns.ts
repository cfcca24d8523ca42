/** Names by patterns: what `include` matches and `exclude` does not. */
export interface NamePatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface SelectedNames {
  /** Sorted. */
  readonly names: readonly string[];
  /** Patterns of `include` that match none of the names. */
  readonly unmatched: readonly string[];
}

/**
 * A pattern as an expression: `/…/` is a regular expression that may match anywhere, anything else a whole name in which
 * `*` stands for any characters and `?` for one. Throws `SyntaxError` when a regular expression is none.
 */
export function patternExpression(pattern: string): RegExp {
  if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) return new RegExp(pattern.slice(1, -1));
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** Which of the names the patterns choose. Kafka's internal ones (`__*`) and Argus' own (`argus.*`) never. */
export function selectNames(names: Iterable<string>, patterns: NamePatterns): SelectedNames {
  const include = patterns.include.map((pattern) => ({ pattern, expression: patternExpression(pattern) }));
  const exclude = patterns.exclude.map(patternExpression);
  const ordinary = [...new Set(names)].filter((n) => !n.startsWith('__') && !n.startsWith('argus.'));
  const unmatched = include.filter((p) => !ordinary.some((n) => p.expression.test(n))).map((p) => p.pattern);
  const chosen = ordinary.filter(
    (n) => include.some((p) => p.expression.test(n)) && !exclude.some((expression) => expression.test(n)),
  );
  return { names: chosen.sort(), unmatched };
}
