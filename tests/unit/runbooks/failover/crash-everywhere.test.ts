import { describe, expect, test } from 'vitest';
import { dieAndResume, enumerateDeaths } from '../../../support/crash-everywhere.ts';
import { failoverStory, worlds, write } from './story.ts';

for (const [name, circumstances] of worlds) {
  const story = failoverStory(circumstances);
  const { deaths, undisturbed } = await enumerateDeaths(story);

  describe(`a failover while ${name}`, () => {
    test('ends with the standby as primary', () => {
      expect(deaths.length).toBeGreaterThan(60);
      expect(undisturbed).toMatchObject({
        roles: { epoch: 2, primary: 'singapore' },
        records: [{ content: '127.0.2.1' }],
        jobs: [{ name: 'counts' }],
        open: [],
        rules: [write],
      });
    });

    test.each(deaths)('killed at $name: the next run ends it as if nothing had happened', (death) =>
      dieAndResume(story, death, undisturbed),
    );
  });
}
