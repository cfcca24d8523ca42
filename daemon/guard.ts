import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import { settlesWithin } from '../domain/guard-config.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import {
  decideGuard,
  type GuardMemory,
  type GuardPlace,
  type GuardReading,
  type GuardSettings,
  type GuardVerdict,
  memoryAtStart,
  remember,
  rememberSilence,
} from '../runbooks/fencing/decide-guard.ts';
import { jobsToStop } from '../runbooks/fencing/fence-returned.ts';
import { fencedTopics } from '../runbooks/fencing/fence-rules.ts';
import {
  allowKafkaWrites,
  denyKafkaWrites,
  everybody,
  type FenceTarget,
  fenceWatch,
  usableFence,
} from '../runbooks/fencing/kafka-fencing.ts';
import {
  claimedEpoch,
  claimingRun,
  type GuardWord,
  namePlace,
  noteHeard,
  placeOf,
  putGuardWord,
  readHeard,
} from '../state/guard.ts';
import { dropFenceRules, noteFenceRules, readKafkaFence } from '../state/kafka-fence.ts';
import { readRoles } from '../state/roles.ts';
import { guardNote } from './guard-note.ts';
import type { Log } from './log.ts';
import { every } from './supervise.ts';

export interface GuardParts {
  readonly config: Pick<Config, 'topics' | 'jobs'>;
  /** The region that it stands in. */
  readonly region: Region;
  readonly state: ObjectStore;
  readonly witness: ObjectStore;
  /** Where it notes its own rules: on its own machine. */
  readonly own: ObjectStore;
  readonly fenceTtlMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the two places are asked, and how often it decides. */
  readonly askMs?: number;
  readonly decideMs?: number;
}

const patienceMs = 2_000;

/**
 * Shuts the region's Kafka when a failover claims it, when another is primary, or when neither state nor witness was
 * heard for the TTL; opens again what it shut when none of that is so any more. Until the signal; then all stays as it is.
 */
export async function runGuard(parts: GuardParts, signal: AbortSignal): Promise<void> {
  const { region, clock, log, fenceTtlMs, askMs = 1_000, decideMs = 250 } = parts;
  const settings: GuardSettings = { region: region.name, fenceTtlMs };
  const elapsed = elapsedBy(clock);
  const lastHeard = await lastHeardBy(parts, signal);
  const silentMs = lastHeard === undefined ? undefined : clock.now() - lastHeard;
  const startedAtMs = elapsed();
  let memory = memoryAtStart(startedAtMs, silentMs, { fenceTtlMs, graceMs: askMs });
  const unasked = new Set<GuardPlace>(['state', 'witness']);
  let notedAtMs = Number.NEGATIVE_INFINITY;
  let verdict: GuardVerdict = { kind: 'keep' };
  let said = '';
  let working = false;
  const hand = guardHand(parts);

  /** An empty folder where the place was mounted, or another bucket of its name, knows of no claim: it isn't heard. */
  const samePlace = async (place: GuardPlace, call: AbortSignal) => {
    const options = { signal: call };
    const known = await placeOf(parts.own, `place/${place}/`, options);
    const id = await (known === undefined
      ? namePlace(parts[place], randomUUID(), '', options)
      : placeOf(parts[place], '', options));
    if (known === undefined) await namePlace(parts.own, id as string, `place/${place}/`, options);
    else if (id !== known) throw new ArgusError('GuardPlaceChanged', `the ${place} is not the place that it was`);
  };

  /** Who is started anew goes on counting from here. */
  const noteAsked = async (askedAtMs: number, atMs: number) => {
    if (askedAtMs - notedAtMs < fenceTtlMs / 10) return;
    notedAtMs = askedAtMs;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) };
    await noteHeard(parts.own, region.name, atMs, call).catch((error: unknown) => {
      // Then the silence of a guard after this one counts from an earlier time.
      if (!signal.aborted) log.debug({ error: describeError(error) }, 'when it was heard is not noted');
    });
  };

  const ask = async (place: GuardPlace) => {
    const [askedAtMs, askedAt] = [elapsed(), clock.now()];
    try {
      const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) };
      await samePlace(place, call.signal);
      const reading = await (place === 'state' ? readState(parts, call.signal) : readWitness(parts, call.signal));
      memory = remember(memory, place, { ...reading, askedAtMs });
      await noteAsked(askedAtMs, askedAt);
    } catch (error) {
      // Unheard: what counts is for how long.
      if (!signal.aborted) log.debug({ place, error: describeError(error) }, `the ${place} can't be asked`);
    } finally {
      unasked.delete(place);
    }
  };

  const decide = () => {
    const nowMs = elapsed();
    verdict = decideGuard(memory, nowMs, settings);
    memory = rememberSilence(memory, verdict, nowMs);
    const brief = verdict.kind === 'shut' ? verdict.because : verdict.kind;
    const level = verdict.kind === 'shut' ? 'warn' : 'info';
    if (brief !== said) log[level]({ because: brief }, wordsOf(verdict, region.name));
    said = brief;
    return verdict;
  };

  const tick = async () => {
    // A silence from before its start is none yet: who would answer now has had no time to.
    if (unasked.size > 0 && elapsed() - startedAtMs < settlesWithin(fenceTtlMs)) return;
    decide();
    if (working) return;
    working = true;
    const asDecided = verdict.kind;
    const check = () => {
      signal.throwIfAborted();
      if (decide().kind !== asDecided) throw new ArgusError('GuardChanged', 'it was decided otherwise meanwhile');
    };
    void hand(verdict, memory, { signal, check })
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error: describeError(error) }, `${asDecided}: not done yet, it is tried again`);
      })
      .finally(() => {
        working = false;
      });
  };

  await Promise.all([
    every(askMs, () => ask('state'), clock, signal),
    every(askMs, () => ask('witness'), clock, signal),
    every(decideMs, tick, clock, signal),
  ]);
}

function wordsOf(verdict: GuardVerdict, region: string): string {
  if (verdict.kind === 'shut') return `${region} is shut: ${verdict.why}`;
  return verdict.kind === 'open' ? `${region} is open` : `${region} stays as it is until the state tells the roles`;
}

/**
 * Time since now, from look to look by whichever clock went further: a machine that was suspended has slept by one of
 * them. A wall clock that is set back takes nothing away, and holds nothing up.
 */
function elapsedBy(clock: Clock): () => number {
  let [monotonic, wall] = [clock.monotonic(), clock.now()];
  let sum = 0;
  return () => {
    const [monotonicNow, wallNow] = [clock.monotonic(), clock.now()];
    sum += Math.max(monotonicNow - monotonic, wallNow - wall, 0);
    [monotonic, wall] = [monotonicNow, wallNow];
    return sum;
  };
}

/** When a guard of this region last heard somebody; one whose note can't be read counts anew. */
async function lastHeardBy({ own, region, log }: GuardParts, signal: AbortSignal): Promise<number | undefined> {
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) };
  return readHeard(own, region.name, call).catch((error: unknown) => {
    if (!signal.aborted) log.warn({ error: describeError(error) }, 'when it last heard somebody is not known');
    return undefined;
  });
}

async function readState({ state, region }: GuardParts, signal: AbortSignal): Promise<Omit<GuardReading, 'askedAtMs'>> {
  const [roles, fence, claim] = await Promise.all([
    readRoles(state, { signal }),
    readKafkaFence(state, region.name, { signal }),
    readClaim(state, region.name, signal),
  ]);
  return {
    ...(roles && { roles }),
    ...(fence?.openedFor === undefined ? {} : { openedFor: fence.openedFor }),
    ...claim,
  };
}

const readWitness = ({ witness, region }: GuardParts, signal: AbortSignal) => readClaim(witness, region.name, signal);

/** That there is one shuts the region, even where it can't be read whose it is. */
async function readClaim(place: ObjectStore, region: string, signal: AbortSignal) {
  const rolesEpoch = await claimedEpoch(place, region, { signal });
  if (rolesEpoch === undefined) return {};
  const run = await claimingRun(place, region, rolesEpoch, { signal }).catch(() => undefined);
  return { claimedEpoch: rolesEpoch, ...(run === undefined ? {} : { claimRun: run }) };
}

/** The run that each place is to be told; a place that doesn't name it is told what the other one named. */
function claimRuns({ state, witness }: GuardMemory, rolesEpoch: number) {
  const [inState, atWitness] = [state, witness].map((r) => (r?.claimedEpoch === rolesEpoch ? r.claimRun : undefined));
  return { state: inState ?? atWitness, witness: atWitness ?? inState };
}

/** What a guard does for its verdict; called again and again, does nothing when all is done. */
function guardHand(parts: GuardParts) {
  const { region, state, witness, own, clock, log } = parts;
  const topics = fencedTopics(parts.config, region.fence?.settings);
  const target: FenceTarget = { region, state: own, topics };
  const author = () => ({ by: `guard of ${region.name}`, atMs: clock.now() });
  let watch = fenceWatch(target, everybody);
  let seen = false;
  const note = guardNote();
  /** Runs that claimed it while it was shut, and who was told where. */
  const heard = new Set<string>();
  let told: ReturnType<typeof claimRuns> = { state: undefined, witness: undefined };
  const lookAnew = () => {
    [seen, watch] = [false, fenceWatch(target, everybody)];
  };

  return async (
    verdict: GuardVerdict,
    memory: GuardMemory,
    io: { readonly signal: AbortSignal; check(): void },
  ): Promise<void> => {
    const soon = AbortSignal.any([io.signal, AbortSignal.timeout(4 * patienceMs)]);
    if (verdict.kind !== 'shut') {
      lookAnew();
      heard.clear();
      told = { state: undefined, witness: undefined };
      if (verdict.kind === 'keep') return;
      const noted = (await readKafkaFence(own, region.name, { signal: soon }))?.rules ?? [];
      if (noted.length > 0) {
        const lifted = await allowKafkaWrites(target, everybody, author(), { ...io, signal: soon });
        if (lifted.length > 0) log.info({ rules: lifted.length }, `${region.name} takes writes again`);
        note.due((signal) => dropFenceRules(state, region.name, lifted, author(), { signal }));
      }
      await note.attempt(memory.state?.askedAtMs, soon);
      return;
    }
    const fence = usableFence({ region });
    if ('none' in fence) return;
    const claim = Math.max(memory.state?.claimedEpoch ?? 0, memory.witness?.claimedEpoch ?? 0);
    const toTell = claimRuns(memory, claim);
    const runs = Object.values(toTell).filter((run) => run !== undefined);
    // What was seen for the claim of before is no word for this one: whoever took that back may have opened the region.
    if (runs.some((run) => !heard.has(run))) lookAnew();
    for (const run of runs) heard.add(run);
    if (!seen) {
      const denial = await denyKafkaWrites(target, everybody, author(), { ...io, signal: soon });
      if (denial.kind === 'made' && denial.created > 0)
        log.warn({ rules: denial.created }, `${region.name} is denied writes`);
    }
    const rolesEpoch = memory.state?.roles?.epoch ?? claim;
    if (verdict.because !== 'silence') await stopJobs(parts, rolesEpoch, soon, io);
    if (seen && toTell.state === told.state && toTell.witness === told.witness) {
      await note.attempt(memory.state?.askedAtMs, soon);
      return;
    }
    const proof = await watch(fence, clock.monotonic(), soon);
    if (proof.kind === 'pending') return;
    if (!seen) log.info({ proof: proof.kind }, `${region.name} is seen to take no writes`);
    seen = true;
    const made = (await readKafkaFence(own, region.name, { signal: soon }))?.rules ?? [];
    // Who opens the region later lifts what the state has noted.
    const noting = { ...author(), unlessOpenedFor: rolesEpoch };
    note.due((signal) => noteFenceRules(state, region.name, made, noting, { signal }));
    await note.attempt(memory.state?.askedAtMs, soon);
    io.check();
    const tell = async (place: ObjectStore, run: string | undefined) => {
      if (run === undefined) return;
      const word: GuardWord = { proof: proof.kind, why: [...proof.why], rolesEpoch: claim, run, atMs: clock.now() };
      await putGuardWord(place, region.name, word, { signal: soon });
    };
    const puts = await Promise.allSettled([tell(state, toTell.state), tell(witness, toTell.witness)]);
    if (puts.some((p) => p.status === 'fulfilled')) told = toTell;
  };
}

/** Stops the jobs of a region that is claimed, or not primary; silence alone stops none: denied at Kafka, they wait. */
async function stopJobs(
  { config, region }: GuardParts,
  rolesEpoch: number,
  signal: AbortSignal,
  io: { check(): void },
): Promise<void> {
  const jobs = await region.flink.list({ signal }).catch(() => []);
  for (const job of jobsToStop(jobs, config, rolesEpoch)) {
    io.check();
    await region.flink.cancel(job.id, { signal });
  }
}
