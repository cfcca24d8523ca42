import { type NamePatterns, selectNames } from '../../domain/name-patterns.ts';
import type { DoctorFinding } from './finding.ts';

/** What was read, or why it couldn't be. */
export type Seen<T> = { readonly seen: T } | { readonly unknown: string };

/** What belongs to clients, and what nobody moves for them. */
export interface SeenClients {
  readonly primary: string;
  readonly standby: string;
  /** Users with SCRAM secrets by their mechanisms, on each side. */
  readonly scram: Seen<readonly [ReadonlyMap<string, readonly string[]>, ReadonlyMap<string, readonly string[]>]>;
  /** DNS names in the brokers' certificates of each side; absent: a side is without TLS. */
  readonly names?: Seen<readonly [readonly string[], readonly string[]]>;
  /** Consumer groups of the primary that have committed offsets of mirrored topics. */
  readonly groups: Seen<readonly string[]>;
  /** Groups that are copied: those of the jobs, and by patterns. */
  readonly followed: { readonly jobs: readonly string[]; readonly patterns?: NamePatterns };
  /** How many producers the brokers know in mirrored topics. */
  readonly producers: Seen<number>;
  /** The configuration says who writes to the primary's Kafka. */
  readonly fenced: boolean;
  /** The primary has a Schema Registry's topic; and whether it is mirrored. */
  readonly schemas: Seen<'none' | 'mirrored' | 'not-mirrored'>;
}

/** What clients would miss after a failover. Pure. */
export function judgeClients(check: string, clients: SeenClients): readonly DoctorFinding[] {
  const { primary, standby, scram, names, groups, producers, schemas } = clients;
  const unknown = (what: string, seen: Seen<unknown>): readonly DoctorFinding[] =>
    'unknown' in seen
      ? [
          {
            check,
            code: 'ClientsUnknown',
            severity: 'unknown',
            message: `${what} can't be told: ${seen.unknown}`,
            fix: 'allow Argus DESCRIBE on both clusters and on the topic _schemas, or look by hand',
          },
        ]
      : [];
  return [
    ...('seen' in schemas ? judgeSchemas(check, schemas.seen, standby) : unknown('a Schema Registry', schemas)),
    ...('seen' in scram ? judgeUsers(check, scram.seen, primary, standby) : unknown('SCRAM users', scram)),
    ...(names === undefined
      ? []
      : 'seen' in names
        ? judgeNames(check, names.seen, primary, standby)
        : unknown('the names in the brokers’ certificates', names)),
    ...('seen' in groups ? judgeGroups(check, groups.seen, clients) : unknown('who reads', groups)),
    ...('seen' in producers ? judgeProducers(check, producers.seen, clients) : unknown('who writes', producers)),
  ];
}

function judgeSchemas(check: string, schemas: string, standby: string): readonly DoctorFinding[] {
  if (schemas !== 'not-mirrored') return [];
  return [
    {
      check,
      code: 'SchemaRegistryNotMirrored',
      severity: 'warning',
      message: 'there is a Schema Registry (topic _schemas), and `topics` does not name it: its ids would be lost',
      fix: `name _schemas in \`topics\`, and run the registry of ${standby} with leader.eligibility=false until the promotion`,
    },
  ];
}

function judgeUsers(
  check: string,
  [here, there]: readonly [ReadonlyMap<string, readonly string[]>, ReadonlyMap<string, readonly string[]>],
  primary: string,
  standby: string,
): readonly DoctorFinding[] {
  const finding = (region: string, other: string, users: readonly string[]): readonly DoctorFinding[] => {
    if (users.length === 0) return [];
    const message = `Kafka of ${region} has no SCRAM secret for ${shortList(users)}, that of ${other} has`;
    const fix = `brokers give secrets to nobody: make them in ${region} with the same passwords (kafka-configs.sh --alter --entity-type users --entity-name ${users[0]} --add-config 'SCRAM-SHA-512=[password=…]')`;
    return [
      { check, code: 'ScramUsersDiffer', severity: region === standby ? 'warning' : 'advice', region, message, fix },
    ];
  };
  const lacking = (
    of: ReadonlyMap<string, readonly string[]>,
    other: ReadonlyMap<string, readonly string[]>,
  ): readonly string[] =>
    [...other].flatMap(([user, own]) => (own.every((m) => of.get(user)?.includes(m)) ? [] : [user])).sort();
  return [...finding(standby, primary, lacking(there, here)), ...finding(primary, standby, lacking(here, there))];
}

function judgeNames(
  check: string,
  [here, there]: readonly [readonly string[], readonly string[]],
  primary: string,
  standby: string,
): readonly DoctorFinding[] {
  if (here.some((name) => there.some((other) => coversSame(name, other)))) return [];
  return [
    {
      check,
      code: 'NoCommonBrokerName',
      severity: 'warning',
      message: `the brokers' certificates of ${primary} and ${standby} have no name in common: a client that finds its brokers by one name refuses the other region's`,
      fix: 'put the name that clients use for bootstrap.servers (one of `dns.records`) into the certificates of both regions',
    },
  ];
}

/** Two names of certificates that are good for one and the same host. */
function coversSame(a: string, b: string): boolean {
  if (a === b) return true;
  const covers = (wild: string, name: string) =>
    wild.startsWith('*.') && name.slice(name.indexOf('.')) === wild.slice(1) && !name.startsWith('*.');
  return covers(a, b) || covers(b, a);
}

function judgeGroups(
  check: string,
  groups: readonly string[],
  { primary, followed }: Pick<SeenClients, 'primary' | 'followed'>,
): readonly DoctorFinding[] {
  const byPattern = followed.patterns ? selectNames(groups, followed.patterns).names : [];
  const lost = groups.filter(
    (g) => !followed.jobs.includes(g) && !byPattern.includes(g) && !g.startsWith('argus-') && !g.startsWith('__'),
  );
  if (lost.length === 0) return [];
  return [
    {
      check,
      code: 'GroupsNotFollowed',
      severity: 'warning',
      region: primary,
      message: `consumers outside the jobs read mirrored topics, and their offsets are not copied: ${shortList(lost)}`,
      fix: `name them in \`groups\`: groups: { include: [${lost.slice(0, 5).join(', ')}] }`,
    },
  ];
}

function judgeProducers(
  check: string,
  count: number,
  { primary, fenced }: Pick<SeenClients, 'primary' | 'fenced'>,
): readonly DoctorFinding[] {
  if (count === 0 || fenced) return [];
  return [
    {
      check,
      code: 'ProducersNotFenced',
      severity: 'warning',
      region: primary,
      message: `${count} producer${count === 1 ? '' : 's'} wrote to mirrored topics lately, and kafka.fence names nobody: after a failover they could go on, on the side that is no longer primary`,
      fix: `name their principals in regions.${primary}.kafka.fence.producers and .jobs (docs/configuration.md, Fencing Kafka)`,
    },
  ];
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} others` : shown;
}
