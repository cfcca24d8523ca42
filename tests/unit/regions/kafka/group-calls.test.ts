import fc from 'fast-check';
import { AssignerProtocol } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { byPartition, partitionKey } from '../../../../domain/offsets.ts';
import {
  encodeAssignment,
  encodeSubscription,
  readAssignment,
  readDescribeGroupResponse,
  readJoinGroupResponse,
  readSubscription,
} from '../../../../regions/kafka/group-calls.ts';
import { judgeGroupAnswer } from '../../../../regions/kafka/group-membership.ts';
import { WireWriter } from '../../../../regions/kafka/wire.ts';

const bytesOf = (writer: WireWriter) => Buffer.concat(writer.finish().chunks);
const partitions = fc.uniqueArray(fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.nat(20) }), {
  selector: partitionKey,
});

describe('a member of a group', () => {
  test.each([
    [0, 'agreed'],
    [22, 'again'],
    [27, 'again'],
    [25, 'anew'],
    [79, 'named'],
    [14, 'elsewhere'],
    [15, 'elsewhere'],
    [16, 'elsewhere'],
    [23, 'refused'],
    [26, 'refused'],
    [30, 'refused'],
    [81, 'refused'],
  ] as const)('takes code %d as %s', (code, verdict) => {
    expect(judgeGroupAnswer(code)).toBe(verdict);
  });

  test('reads what a broker says', () => {
    const joined = new WireWriter().int32(0).int16(0).int32(5).string('range').string('a').string('b').int32(1);
    joined.string('b').bytes(encodeSubscription([{ topic: 't', partition: 2 }]));
    const { members, ...answer } = readJoinGroupResponse(bytesOf(joined));
    expect(answer).toEqual({ errorCode: 0, generation: 5, leader: 'a', memberId: 'b' });
    expect(members.map((m) => [m.memberId, readSubscription(m.metadata)])).toEqual([
      ['b', [{ topic: 't', partition: 2 }]],
    ]);
    const described = new WireWriter().int32(0).int32(1).int16(0).string('g').string('Stable').string('consumer');
    described.string('range').int32(1).string('b').string('argus').string('/127.0.0.1').bytes(Buffer.alloc(0));
    described.bytes(encodeAssignment({ generation: 5, partitions: [] }));
    const group = readDescribeGroupResponse(bytesOf(described));
    expect(group).toMatchObject({
      state: 'Stable',
      members: [{ memberId: 'b', clientId: 'argus', host: '/127.0.0.1' }],
    });
    expect(readAssignment(group.members[0]?.assignment ?? Buffer.alloc(0))).toEqual({ generation: 5, partitions: [] });
    expect(readAssignment(Buffer.alloc(0))).toBeUndefined();
  });

  test('has its part in a form that goes round, and that other clients read', () => {
    fc.assert(
      fc.property(partitions, fc.nat(), (list, generation) => {
        const bytes = encodeAssignment({ generation, partitions: list });
        const sorted = [...list].sort(byPartition);
        const read = readAssignment(bytes);
        expect(read?.generation).toBe(generation);
        expect([...(read?.partitions ?? [])].sort(byPartition)).toEqual(sorted);
        expect([...readSubscription(encodeSubscription(list))].sort(byPartition)).toEqual(sorted);
        const byOthers = AssignerProtocol.MemberAssignment.decode(bytes)?.assignment ?? {};
        const theirs = Object.entries(byOthers).flatMap(([topic, l]) => l.map((partition) => ({ topic, partition })));
        expect(theirs.sort(byPartition)).toEqual(sorted);
      }),
    );
  });

  test('gives only its own error on other bytes', () => {
    const readers = [readJoinGroupResponse, readDescribeGroupResponse, readAssignment, readSubscription];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...readers), (bytes, read) => {
        try {
          read(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ArgusError);
          expect((error as ArgusError).code).toBe('KafkaMalformed');
        }
      }),
    );
  });
});
