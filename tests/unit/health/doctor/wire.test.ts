import { expect, test } from 'vitest';
import { readLogSizesResponse } from '../../../../regions/kafka/log-sizes.ts';
import { readScramUsersResponse } from '../../../../regions/kafka/scram-users.ts';
import { WireWriter } from '../../../../regions/kafka/wire.ts';

const bytesOf = (writer: WireWriter) => Buffer.concat(writer.finish().chunks);

test('users with SCRAM secrets are read, those without left out', () => {
  const body = new WireWriter().uvarint(0).int32(0).int16(0).uvarint(0).uvarint(3);
  body.compactString('ingest').int16(0).uvarint(0).uvarint(3);
  body.int8(2).int32(4096).uvarint(0).int8(1).int32(4096).uvarint(0).uvarint(0);
  body.compactString('gone').int16(91).uvarint(0).uvarint(1).uvarint(0);
  const { users } = readScramUsersResponse(bytesOf(body.uvarint(0)));
  expect([...users]).toEqual([['ingest', ['SCRAM-SHA-256', 'SCRAM-SHA-512']]]);
});

test('sizes of logs are read from every directory of a broker', () => {
  const body = new WireWriter().uvarint(0).int32(0).uvarint(2).int16(0).compactString('/data').uvarint(2);
  body.compactString('events').uvarint(2).int32(3).int64(4711n).int64(0n).int8(0).uvarint(0).uvarint(0);
  body.uvarint(0).uvarint(0);
  expect(readLogSizesResponse(bytesOf(body))).toEqual([{ topic: 'events', partition: 3, sizeBytes: 4711 }]);
});
