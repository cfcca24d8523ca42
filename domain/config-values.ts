import { z } from 'zod';
import { parseByteSize } from './byte-size.ts';

/** `250ms`, `30s`, `15m`, `1h` → milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h)$/, 'a duration like 500ms, 30s, 15m or 1h')
  .transform((text) => {
    const unit = text.replace(/^\d+/, '') as 'ms' | 's' | 'm' | 'h';
    return Number.parseInt(text, 10) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit];
  });

/** `1.1.1.1:53`, `kafka.example:9092`. */
export const hostPort = z.string().regex(/^[^\s:/]+:\d{1,5}$/, 'host:port');

/** Printed in plans and messages, so nothing secret may stand in it. */
export const serviceUrl = z
  .url('a URL')
  .refine((text) => !/^[^/]*\/\/[^/?#]*@/.test(text), 'a URL without user and password: it is printed and logged');

/** Secrets stand outside the file: `env:NAME` or `file:/path`. */
export const secretRef = z
  .string()
  .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, 'a reference: env:NAME or file:/path');

/** `4096`, `500KB`, `50MB`, `64MiB` → bytes a second. */
export const byteRate = z
  .union([z.number(), z.string()])
  .transform((value) => parseByteSize(String(value)))
  .refine((bytes) => bytes !== undefined, 'bytes a second, like 4096, 500KB, 50MB or 64MiB')
  .transform((bytes) => bytes as number);
