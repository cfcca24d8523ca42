import { ArgusError } from '../../domain/errors.ts';

/** A topic was named that is not mirrored. */
export function unknownTopic(topic: string): ArgusError {
  return new ArgusError('TopicUnknown', `topic "${topic}" is not mirrored`, {
    exitCode: 2,
    hint: 'name one that `argus mirror status` shows',
  });
}
