/** What a call was about; what isn't given is not named. */
export interface Subject {
  /** One, or several with commas. */
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
}

/** What READ and WRITE imply. */
const describe = 'DESCRIBE (READ or WRITE imply it)';

/** The rights that calls need at brokers with an authorizer. Source: Kafka documentation, "Authorization and ACLs". */
const rights: Readonly<
  Record<string, { readonly topic?: string; readonly group?: string; readonly cluster?: string }>
> = {
  Metadata: { topic: describe },
  ListOffsets: { topic: describe },
  Fetch: { topic: 'READ' },
  Produce: { topic: 'WRITE' },
  DescribeProducers: { topic: 'READ' },
  AddPartitionsToTxn: { topic: 'WRITE' },
  DeleteRecords: { topic: 'DELETE' },
  DeleteTopics: { topic: 'DELETE' },
  DeleteGroups: { group: 'DELETE' },
  describeQuotas: { cluster: 'DESCRIBE_CONFIGS' },
  alterQuotas: { cluster: 'ALTER_CONFIGS' },
  WriteTxnMarkers: { cluster: 'ALTER' },
  DescribeAcls: { cluster: 'DESCRIBE (ALTER implies it)' },
  CreateAcls: { cluster: 'ALTER' },
  DeleteAcls: { cluster: 'ALTER' },
  describeTopics: { topic: describe },
  createTopic: { topic: 'CREATE' },
  growTopic: { topic: 'ALTER' },
  alterTopicConfigs: { topic: 'ALTER_CONFIGS' },
  topicConfigs: { topic: 'DESCRIBE_CONFIGS' },
  logRanges: { topic: describe },
  groupOffsets: { group: 'DESCRIBE (READ implies it)', topic: describe },
  FindCoordinator: { group: 'DESCRIBE (READ implies it)' },
  JoinGroup: { group: 'READ' },
  DescribeGroups: { group: 'DESCRIBE (READ implies it)' },
  OffsetFetch: { group: 'DESCRIBE (READ implies it)', topic: describe },
  OffsetCommit: { group: 'READ', topic: 'READ' },
  setGroupOffsets: { group: 'READ', topic: 'READ' },
};

/** Which right is missing, and on what, as a sentence for an answer that denies; undefined when it can't be told. */
export function missingRight(call: string, code: number, subject: Subject): string | undefined {
  const right = rights[call];
  const needs = (operation: string, what: string) => `the principal needs ${operation} on ${what}`;
  switch (code) {
    case 29:
      return (
        right?.topic &&
        needs(right.topic, subject.topic ? `topic ${subject.topic}` : `the topics of group ${subject.group}`)
      );
    case 30:
      return right?.group && needs(right.group, `group ${subject.group}`);
    case 31:
      return right?.cluster && needs(right.cluster, 'the cluster');
    case 53:
      return subject.transactionalId && needs('WRITE', `transactional id ${subject.transactionalId}`);
    default:
      return undefined;
  }
}

/** What to do about it. */
export const missingRightHint = 'add that ACL; docs/mirror.md lists all that the mirror needs on each side';
