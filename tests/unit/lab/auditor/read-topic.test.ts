import { KafkaJSProtocolError } from 'kafkajs';
import { expect, test } from 'vitest';
import { topicEnds } from '../../../../lab/auditor/read-topic.ts';

const answering = (retriable: boolean) => {
  let asked = 0;
  return {
    fetchTopicOffsets: async () => {
      if (++asked < 3) throw Object.assign(new KafkaJSProtocolError(new Error('not the leader')), { retriable });
      return [1, 0].map((partition) => ({ partition, offset: '7', low: '2', high: '7' }));
    },
  };
};

test('a broker that leads nothing yet is asked again', async () => {
  expect(await topicEnds(answering(true), 'events')).toEqual([
    { partition: 0, start: 2, end: 7 },
    { partition: 1, start: 2, end: 7 },
  ]);
});

test('what does not pass is told', async () => {
  await expect(topicEnds(answering(false), 'events')).rejects.toThrow('not the leader');
});
