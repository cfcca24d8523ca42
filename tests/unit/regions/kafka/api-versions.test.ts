import { describe, expect, test } from 'vitest';
import { versionRefusal } from '../../../../regions/kafka/api-versions.ts';
import { fetchRequest } from '../../../../regions/kafka/fetch.ts';

describe('a request', () => {
  const request = fetchRequest([], { maxWaitMs: 0, maxBytes: 0 });
  const { apiKey, apiVersion } = request;

  test.each([
    ['is sent where its version is taken', [apiKey, apiVersion - 1, apiVersion] as const, undefined],
    ['is sent where its version is the oldest', [apiKey, apiVersion, apiVersion + 4] as const, undefined],
    ['is refused by an older broker', [apiKey, 4, 10] as const, /old takes Fetch in versions 4 to 10; .* version 11/],
    ['is refused by a broker that has dropped it', [apiKey, 12, 18] as const, /in versions 12 to 18/],
    ['is refused by a broker that has no such API', [apiKey + 1, 0, 99] as const, /old does not know Fetch/],
  ])('%s', (_name, [key, min, max], expected) => {
    const refusal = versionRefusal('old', new Map([[key, { min, max }]]), request);
    if (!expected) expect(refusal).toBeUndefined();
    else expect(refusal).toMatchObject({ code: 'KafkaVersion', exitCode: 2, message: expect.stringMatching(expected) });
  });
});
