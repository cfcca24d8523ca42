import { expect, test } from 'vitest';
import { configChanges } from '../../../../replication/topics/topic-configs.ts';

const configs = (values: Record<string, string>) => new Map(Object.entries(values));

test('what differs and is followed is carried over', () => {
  const source = configs({ 'retention.ms': '5', 'segment.bytes': '9', 'unclean.leader.election.enable': 'true' });
  const standby = configs({ 'retention.ms': '7', 'segment.bytes': '9', 'unclean.leader.election.enable': 'false' });
  expect(configChanges(source, standby)).toEqual({ 'retention.ms': '5' });
});

test('what the mirror needs for itself is never carried over, whatever is asked for', () => {
  const source = configs({
    'compression.type': 'zstd',
    'message.timestamp.type': 'LogAppendTime',
    'retention.ms': '5',
  });
  const keys = ['compression.type', 'message.timestamp.type', 'retention.ms', 'absent'];
  expect(configChanges(source, configs({}), keys)).toEqual({ 'retention.ms': '5' });
});
