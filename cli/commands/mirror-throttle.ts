import { formatByteSize, parseByteSize } from '../../domain/byte-size.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { Throttle } from '../../domain/mirror-config.ts';
import {
  changeMirrorThrottle,
  type MirrorThrottle,
  readMirrorThrottle,
  throttleInForce,
} from '../../state/mirror-throttle.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { rolesNow, withComposition } from '../session.ts';
import { unknownTopic } from './unknown-topic.ts';

export interface ThrottleOptions {
  readonly bytesPerSecond?: string;
  readonly off?: boolean;
  readonly asConfigured?: boolean;
  readonly topic?: string;
}

/** `argus mirror throttle`: how fast the primary may be read. What mirrors follows within seconds, nothing is restarted. */
export async function run(context: CommandContext, options: ThrottleOptions): Promise<number> {
  const bytesPerSecond = options.bytesPerSecond === undefined ? undefined : rateOf(options.bytesPerSecond);
  return withComposition(context, async (composition) => {
    requireOwnMirror(
      composition.config,
      'mirror throttle',
      "give MirrorMaker's consumer a quota on the primary's brokers",
    );
    const { signal, clock, who } = context;
    const { config, state } = composition;
    const { topic } = options;
    await rolesNow(context, composition);
    if (topic !== undefined && !config.topics.includes(topic)) throw unknownTopic(topic);
    const changes = bytesPerSecond !== undefined || options.off || options.asConfigured;
    const limit = options.asConfigured
      ? undefined
      : { bytesPerSecond: bytesPerSecond ?? null, by: who, atMs: clock.now() };
    const set = changes
      ? await changeMirrorThrottle(state, (before) => withLimit(before, topic, limit), { signal })
      : await readMirrorThrottle(state, { signal });
    const throttle = throttleInForce(config.mirror.throttle, set);
    if (context.json) context.print(JSON.stringify({ throttle, set }));
    else for (const line of throttleLines(throttle)) context.print(line);
    return 0;
  });
}

function withLimit(
  { all, topics }: MirrorThrottle,
  topic: string | undefined,
  limit: MirrorThrottle['all'],
): MirrorThrottle {
  if (topic === undefined) return limit ? { all: limit, topics } : { topics };
  const others = Object.entries(topics).filter(([name]) => name !== topic);
  const next = Object.fromEntries(limit ? [...others, [topic, limit] as const] : others);
  return all ? { all, topics: next } : { topics: next };
}

function rateOf(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new ArgusError('Usage', `--bytes-per-second: "${text}" is no number of bytes`, {
    exitCode: 2,
    hint: 'write it like 500KB, 50MB or 64MiB; `--off` takes the limit away',
  });
}

/** What is in force, as lines for people. */
export function throttleLines({ bytesPerSecond, topics }: Throttle): readonly string[] {
  const whole = bytesPerSecond === undefined ? 'as fast as it goes' : `at most ${formatByteSize(bytesPerSecond)}/s`;
  const each = Object.entries(topics).map(([topic, rate]) => `${topic}: at most ${formatByteSize(rate)}/s of it`);
  return [`the primary is read ${whole}`, ...each];
}
