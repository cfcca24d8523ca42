import { isAlias, isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Config, configSchema } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { nearest } from './nearest.ts';

/** One thing that is wrong in the file, where it stands. Lines and columns count from 1. */
export interface ConfigIssue {
  readonly line: number;
  readonly column: number;
  /** `regions.mumbai.kafka.bootstrap[0]`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  /** The path of the absent key that an unknown one most likely stands for. */
  readonly meant?: string;
}

/** All that is wrong in a configuration file, at once. Exit code 2. */
export class ConfigError extends ArgusError {
  readonly file: string;
  readonly issues: readonly ConfigIssue[];

  constructor(file: string, issues: readonly ConfigIssue[]) {
    const hints = [...new Set(issues.flatMap((i) => (i.hint === undefined ? [] : [i.hint])))];
    super('ConfigInvalid', issues.map((i) => `${file}:${i.line}:${i.column}: ${i.message}`).join('\n'), {
      exitCode: 2,
      hint: hints.length > 0 ? hints.join('; ') : 'docs/configuration.md describes every key',
    });
    this.file = file;
    this.issues = issues;
  }
}

type Path = readonly PropertyKey[];

/** The text of an `argus.yaml` as a validated configuration; throws `ConfigError` with every issue. Reads nothing. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // The first one only: one slip makes the parser stumble over lines that are right.
  const [broken] = doc.errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (broken) {
    const issue = {
      ...at(broken.pos[0]),
      path: '',
      message: `not valid YAML: ${broken.message}`,
      hint: 'mind the indentation (spaces, never tabs), close what was opened, and quote texts that hold ": " or begin with a special character',
    };
    throw new ConfigError(file, [issue]);
  }
  if (!isMap(doc.contents)) {
    const message = doc.contents === null ? 'the file is empty' : 'the document must be a mapping';
    throw new ConfigError(file, [{ line: 1, column: 1, path: '', message }]);
  }
  const value: unknown = doc.toJS({ maxAliasCount: 100 });
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const locate = (path: Path, key?: string) => at(offsetOf(doc.contents as Node, doc, path, key));
  const all = parsed.error.issues.flatMap((issue) => describeIssue(issue, [], value, locate));
  // A key that is there with another spelling isn't told a second time as missing.
  const issues = all.filter((i) => !all.some((other) => other.meant === i.path));
  issues.sort((a, b) => a.line - b.line || a.column - b.column);
  throw new ConfigError(file, issues);
}

/** The offset of the value at `path` (of its key, when `key` is given there), or of the nearest thing around it. */
function offsetOf(root: Node, doc: ReturnType<typeof parseDocument>, path: Path, key?: string): number {
  let node: Node | undefined = root;
  let offset = root.range?.[0] ?? 0;
  const follow = (n: unknown): Node | undefined =>
    isAlias(n) ? n.resolve(doc) : ((n ?? undefined) as Node | undefined);
  for (const segment of path) {
    node = follow(node);
    if (!isCollection(node)) return offset;
    if (isMap(node)) {
      const pair = node.items.find((p) => isScalar(p.key) && p.key.value === segment);
      if (!pair || !isPair(pair)) return offset;
      const keyRange = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      const valueNode = pair.value as Node | null;
      offset = (isScalar(valueNode) || isAlias(valueNode) ? valueNode.range?.[0] : keyRange) ?? offset;
      node = valueNode ?? undefined;
    } else {
      const item = node.items[segment as number] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    }
  }
  if (key === undefined) return offset;
  const last = follow(node);
  const pair = isMap(last) ? last.items.find((p) => isScalar(p.key) && p.key.value === key) : undefined;
  return (pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
}

type Locate = (path: Path, key?: string) => { line: number; column: number };

/** One issue of zod as ours; a union's issue is that of the alternative which fits best. */
function describeIssue(issue: z.core.$ZodIssue, prefix: Path, root: unknown, locate: Locate): ConfigIssue[] {
  const path = [...prefix, ...issue.path];
  const here = pathText(path);
  const of = here === '' ? '' : `${here}: `;
  if (path.length > 0 && issue.code !== 'custom' && valueAt(root, path) === undefined) {
    const parent = path.slice(0, -1);
    const where = pathText(parent);
    const message = `"${String(path.at(-1))}" is missing${where === '' ? '' : ` in ${where}`}`;
    return [{ ...locate(parent), path: here, message }];
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const known = knownKeys(path);
        const there = valueAt(root, path) as object;
        const close = nearest(
          key,
          known.filter((k) => !(k in there)),
        );
        return {
          ...locate(path, key),
          path: pathText([...path, key]),
          message: `unknown key "${key}"${here === '' ? '' : ` in ${here}`}${close === undefined ? '' : `; did you mean "${close}"?`}`,
          ...(close === undefined ? {} : { meant: pathText([...path, close]) }),
          ...(known.length > 0 ? { hint: `${here === '' ? 'the file' : here} knows ${known.join(', ')}` } : {}),
        };
      });
    case 'invalid_union': {
      const best = [...issue.errors].sort((a, b) => rootMismatches(a) - rootMismatches(b))[0];
      if (!best || rootMismatches(best) > 0) {
        const wanted =
          here === 'state'
            ? 'file:<folder>, or a mapping with an s3:// url'
            : here.endsWith('.manifest')
              ? 'a file or folder, or a mapping with configMap and key'
              : 'a list of names, or a mapping with include';
        return [{ ...locate(path), path: here, message: `${of}${wanted}` }];
      }
      return best.flatMap((inner) => describeIssue(inner, path, root, locate));
    }
    case 'invalid_key': {
      const key = String(path.at(-1));
      const why = issue.issues[0]?.message ?? 'not allowed';
      const parent = path.slice(0, -1);
      return [{ ...locate(parent, key), path: here, message: `${pathText(parent)}: the name "${key}": ${why}` }];
    }
    case 'invalid_type':
      return [{ ...locate(path), path: here, message: `${of}${expected(issue.expected)} is needed here` }];
    default: {
      const plain = issue.message.replace(/^Invalid (string|input): /, '');
      const secret = /secret|token|accessKey/i.test(String(path.at(-1)));
      return [
        {
          ...locate(path),
          path: here,
          message: `${of}${plain}`,
          ...(secret ? { hint: 'a secret stands outside the file: write env:NAME or file:/path' } : {}),
        },
      ];
    }
  }
}

const rootMismatches = (issues: readonly z.core.$ZodIssue[]) =>
  issues.filter((i) => i.path.length === 0 && i.code !== 'unrecognized_keys').length;

const expected = (type: string) =>
  ({
    string: 'a text',
    int: 'a whole number',
    number: 'a number',
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
    boolean: 'true or false',
  })[type] ?? type;

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const segment of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[segment];
  return value;
}

/** `jobs[0].submit.args` */
function pathText(path: Path): string {
  return path.reduce<string>(
    (text, s) => (typeof s === 'number' ? `${text}[${s}]` : text === '' ? String(s) : `${text}.${String(s)}`),
    '',
  );
}

/** The keys that the schema knows at a path: what is asked for when a key is mistyped. */
function knownKeys(path: Path): readonly string[] {
  // biome-ignore lint/suspicious/noExplicitAny: the schema's own tree is walked by its runtime shape
  let schema: any = configSchema;
  const unwrap = () => {
    for (;;) {
      const def = schema?._zod?.def;
      if (def?.innerType) schema = def.innerType;
      else if (def?.type === 'pipe') schema = def.in;
      else if (def?.type === 'union') schema = def.options.find((o: { shape?: object }) => o.shape) ?? def.options[0];
      else return;
    }
  };
  unwrap();
  for (const segment of path) {
    if (schema?.shape) schema = schema.shape[segment as string];
    else schema = schema?._zod?.def?.element ?? schema?._zod?.def?.valueType;
    unwrap();
  }
  return schema?.shape ? Object.keys(schema.shape) : [];
}
