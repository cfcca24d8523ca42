import { type LogRange, partitionKey } from '../../domain/offsets.ts';
import type { StatusFacts } from '../../health/status-facts.ts';
import type { AutomaticStanding } from '../../state/decisions.ts';
import type { Part } from './catalogue.ts';

type Health = 'ok' | 'failed' | 'unknown';

/** Where the logs of the mirrored topics end, by partition. */
export type Ends = Readonly<Record<string, bigint>>;

/** All that a fault drill goes by, as it is at one instant. */
export interface FaultLook {
  readonly atMs: number;
  readonly primary: string;
  readonly standby: string;
  readonly parts: Readonly<Record<'primary' | 'standby', Readonly<Record<Part, Health>>>>;
  /** Parts that are not well, in words. */
  readonly bad: readonly string[];
  /** Of the primary's Flink; absent: it doesn't tell. */
  readonly slots?: number;
  /** How long the look at the primary's Kafka took. */
  readonly kafkaMs: number;
  /** Whether the provider says what the names hold; absent: there are no names. */
  readonly dnsApi?: Health;
  /** Resolvers' answers by name and resolver; an answer that didn't come is empty. */
  readonly names: Readonly<Record<string, string>>;
  /** Absent: they can't be read. */
  readonly primaryEnds?: Ends;
  readonly standbyEnds?: Ends;
  /** When the checkpoint was completed that each job would be restored from; absent: none, or it can't be told. */
  readonly points: Readonly<Record<string, number | undefined>>;
  /** What the daemon makes of the observers' reports; absent: no daemon told lately. */
  readonly standing?: {
    readonly mode: string;
    readonly verdicts: readonly { readonly code: string; readonly severity: string; readonly sentence: string }[];
    readonly decision: string;
  };
  /** What is known of the roles; absent: the state doesn't tell. */
  readonly roles?: { readonly epoch: number; readonly replication: 'active' | 'suspended' };
  /** The newest run of the regions' own journal; absent: there is none. */
  readonly run?: { readonly id: string; readonly kind: string; readonly state: string };
}

/** A standing that is older says nothing of now. */
const freshMs = 30_000;

/** What one status amounts to for a fault drill. Pure. */
export function lookOf(facts: StatusFacts, standing: AutomaticStanding | undefined): FaultLook {
  const { nowMs, roles, configuredRoles } = facts;
  const { primary, standby } = roles.value ?? configuredRoles;
  const of = (name: string) => facts.regions.find((r) => r.name === name);
  const parts = { primary: partsOf(facts, primary, true), standby: partsOf(facts, standby, false) };
  const told = (region: string, health: Readonly<Record<Part, Health>>) =>
    Object.entries(health).flatMap(([part, is]) => (is === 'ok' ? [] : [`${part} of ${region} is ${is}`]));
  const slots = of(primary)?.flink.value?.slots.total;
  const [primaryEnds, standbyEnds] = [primary, standby].map((name) => endsOf(of(name)?.kafka.value?.ranges));
  const found = facts.records.map((r) => r.found.status);
  const fresh = standing !== undefined && nowMs - standing.atMs < freshMs ? standing : undefined;
  const [run] = facts.runs;
  return {
    atMs: nowMs,
    primary,
    standby,
    parts,
    bad: [...told(primary, parts.primary), ...told(standby, { ...parts.standby, job: 'ok' })],
    ...(slots === undefined ? {} : { slots }),
    kafkaMs: of(primary)?.kafka.latencyMs ?? 0,
    ...(found.length === 0 ? {} : { dnsApi: found.find((s) => s !== 'ok') ?? 'ok' }),
    names: Object.fromEntries(
      facts.names.map(({ name, resolver, answer }) => [`${name} ${resolver}`, [...(answer.value ?? [])].sort().join()]),
    ),
    ...(primaryEnds && { primaryEnds }),
    ...(standbyEnds && { standbyEnds }),
    points: Object.fromEntries(facts.replica.map((r) => [r.job, r.usable.value?.point?.completedAtMs])),
    ...(fresh && {
      standing: {
        mode: fresh.mode,
        verdicts: fresh.verdicts.map(({ code, severity, sentence }) => ({ code, severity, sentence })),
        decision: fresh.decision.kind,
      },
    }),
    ...(roles.value && { roles: { epoch: roles.value.epoch, replication: roles.value.replication } }),
    ...(run && { run: { id: run.id, kind: run.kind, state: run.state } }),
  };
}

function partsOf({ regions, jobs }: StatusFacts, name: string, runs: boolean): Readonly<Record<Part, Health>> {
  const region = regions.find((r) => r.name === name);
  if (!region) return { kafka: 'unknown', objects: 'unknown', flink: 'unknown', job: 'unknown' };
  const flink = region.flink.value;
  const job = !runs
    ? 'ok'
    : flink === undefined
      ? region.flink.status
      : jobs.every((j) => flink.jobs.get(j)?.state === 'RUNNING')
        ? 'ok'
        : 'failed';
  return { kafka: region.kafka.status, objects: region.objects.status, flink: region.flink.status, job };
}

const endsOf = (ranges: readonly LogRange[] | undefined): Ends | undefined =>
  ranges && ranges.length > 0 ? Object.fromEntries(ranges.map((r) => [partitionKey(r), r.logEndOffset])) : undefined;
