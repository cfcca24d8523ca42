import { z } from 'zod';
import type { KubernetesObject } from './kubernetes-api.ts';
import { answerError, type Purpose } from './kubernetes-errors.ts';
import type { WatchLine } from './watch-objects.ts';

const lineShape = z.object({
  type: z.string(),
  object: z.looseObject({
    code: z.number().optional(),
    metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional(),
  }),
});

/** The lines of a watch's answer: one JSON object each. Unknown types are passed over. */
export async function* watchLines(
  stream: ReadableStream<Uint8Array>,
  where: Purpose & { readonly region: string; readonly server: string },
): AsyncGenerator<WatchLine, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const line = text === '' ? undefined : watchLine(text, where);
      if (line !== undefined) yield line;
    }
  }
  // What comes after the last line end is half a line: the next watch gets it whole.
}

/** One line. An error's object is a Status, as in any other answer. */
export function watchLine(
  text: string,
  where: Purpose & { readonly region: string; readonly server: string },
): WatchLine | undefined {
  const { type, object } = lineShape.parse(JSON.parse(text));
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as unknown as KubernetesObject };
    case 'BOOKMARK': {
      const resourceVersion = object.metadata?.resourceVersion;
      return resourceVersion === undefined ? undefined : { type, resourceVersion };
    }
    case 'ERROR':
      return { type, error: answerError({ ...where, status: object.code ?? 500, text: JSON.stringify(object) }) };
    default:
      return undefined;
  }
}
