import type { AutomaticSettings } from '../domain/automatic-config.ts';
import type { ProbeName, Seen } from '../domain/observation.ts';
import { notOkMs, type ObserverPicture, type RegionTally, tallyOf } from './observer-picture.ts';
import type { VerdictCode } from './verdict-table.ts';

/** Something that is so at this instant; whether it becomes a verdict is a matter of time. */
export interface Condition {
  readonly code: VerdictCode;
  /** Which of several of the same code. */
  readonly subject?: string;
  /** What is so, and how it is known. */
  readonly sentence: string;
  readonly evidence: readonly string[];
  /** By the observers' own looks it is so for no longer than this; absent: they don't tell. */
  readonly forMs?: number;
  /** It goes with a graver one, which is told instead. */
  readonly partOf?: VerdictCode;
}

export interface ConditionView {
  readonly pictures: readonly ObserverPicture[];
  /** What a daemon that is none of them sees of its own replication: it counts for no region. */
  readonly witness?: Pick<ObserverPicture, 'name' | 'looks' | 'atMs'>;
  readonly primary: string;
  readonly standby: string;
  readonly settings: Pick<AutomaticSettings, 'slow' | 'stale'>;
  /** What readiness says; absent: nobody knows. */
  readonly notReady?: readonly string[];
  /** How often the primary's Kafka went away lately, as most see it. */
  readonly flaps: number;
}

/** So many times within the window are flapping. */
const flapsAre = 3;

/** All that is so now. Pure. */
export function conditionsOf(view: ConditionView): readonly Condition[] {
  const { pictures, primary, standby } = view;
  const ofPrimary = tallyOf(pictures, primary);
  const ofStandby = tallyOf(pictures, standby);
  const whole = wholeRegions(view, ofPrimary, ofStandby);
  const cause = whole.find((c) => isOutage(c.code))?.code;
  const rest = [...partsOf(view, ofPrimary, ofStandby), ...simple(view), ...splitBrain(view)].map((c) =>
    cause !== undefined && follows(c.code) ? { ...c, partOf: cause } : c,
  );
  return [...whole, ...rest, ...cutOff(pictures)];
}

const isOutage = (code: VerdictCode) =>
  code === 'BothDead' || code === 'PrimaryDead' || code === 'PrimaryUnreachable' || code === 'PrimaryUnconfirmed';

/** What goes wrong by itself when the primary is gone. */
const follows = (code: VerdictCode) =>
  code === 'MirrorStalled' ||
  code === 'CheckpointsStale' ||
  code === 'HeartbeatLate' ||
  code === 'DnsDisagrees' ||
  code === 'PrimaryDegraded' ||
  code === 'PrimaryFlapping';

function wholeRegions(view: ConditionView, primary: RegionTally, standby: RegionTally): readonly Condition[] {
  const found: Condition[] = [];
  const standbyDark = isDark(standby);
  const { darkForMs: forMs } = primary;
  const evidence = () => evidenceOf(primary.dark, view.primary);
  const unheard = view.pictures.filter((p) => !p.heard || p.blind).map((p) => p.name);
  const others = unheard.length === 0 ? '' : `; observers not heard, or blind: ${unheard.join(', ')}`;
  const by = `${namesOf(primary.dark)} (${primary.dark.length} of ${primary.configured} observers)`;
  if (isDark(primary) && standbyDark) {
    const both = { forMs: Math.min(forMs, standby.darkForMs) };
    const sentence = `neither ${view.primary} nor ${view.standby} gives a good answer to ${by}${others}`;
    return [
      { code: 'BothDead', sentence, evidence: [...evidence(), ...evidenceOf(standby.dark, view.standby)], ...both },
    ];
  }
  if (isDark(primary)) {
    // Both are counted, each with its own time: one refused connection after long silence is not a long refusal.
    const sentence = `nothing in ${view.primary} is heard by ${by}${others}`;
    found.push({ code: 'PrimaryUnreachable', sentence, evidence: evidence(), forMs });
    if (primary.refused.length >= primary.majority)
      found.push({
        code: 'PrimaryDead',
        sentence: `nothing in ${view.primary} gives a good answer, and it refuses ${by}${others}`,
        evidence: evidence(),
        forMs,
      });
  } else if (primary.dark.length > 0 && primary.alive.length > 0) {
    const sentence = `${view.primary} answers some observers (${namesOf(primary.alive)}) and others not at all (${namesOf(primary.dark)})`;
    found.push({ code: 'PrimaryPartlyReachable', sentence, evidence: evidence() });
  } else if (primary.dark.length > 0) {
    const sentence = `nothing in ${view.primary} gives a good answer to ${by}: no majority of those who are configured, or none of them is outside${others}`;
    found.push({ code: 'PrimaryUnconfirmed', sentence, evidence: evidence() });
  }
  if (standbyDark) {
    const sentence = `nothing in ${view.standby} gives a good answer to ${namesOf(standby.dark)}`;
    found.push({ code: 'StandbyDead', sentence, evidence: evidenceOf(standby.dark, view.standby) });
  }
  return found;
}

/** A majority of all who are configured, one outside among them, finds it dark, and nobody alive. */
const isDark = ({ dark, alive, majority }: RegionTally) =>
  dark.length >= majority && alive.length === 0 && dark.some((p) => p.outside);

const namesOf = (pictures: readonly ObserverPicture[]) => pictures.map((p) => p.name).join(', ');

function evidenceOf(pictures: readonly ObserverPicture[], region: string): readonly string[] {
  return pictures.flatMap((p) =>
    p.looks.filter((l) => l.region === region && l.status !== 'ok').map((l) => `${p.name}: ${lookSentence(l)}`),
  );
}

/** One look that is not ok, in words. */
export function lookSentence(look: Seen): string {
  const what = look.subject === undefined ? look.probe : `${look.probe} ${look.subject}`;
  const where = look.region === undefined ? '' : ` in ${look.region}`;
  const why = look.reason ?? (look.status === 'unknown' ? 'no answer' : 'failed');
  return `${what}${where} ${look.status} for ${Math.round(notOkMs(look) / 1_000)} s: ${why}`;
}

/** What of a region that lives fails, is silent or slow as most see it who look at it. */
function partsOf(view: ConditionView, primary: RegionTally, standby: RegionTally): readonly Condition[] {
  const found: Condition[] = [];
  if (primary.alive.length > 0) {
    const bad = badParts(primary.alive, view.primary, view.settings.slow);
    if (bad.length > 0)
      found.push({
        code: 'PrimaryDegraded',
        sentence: `${view.primary} answers, but ${bad.join('; ')}`,
        evidence: bad,
      });
  }
  if (view.flaps >= flapsAre) {
    const sentence = `the Kafka of ${view.primary} went away ${view.flaps} times within the last minutes`;
    found.push({ code: 'PrimaryFlapping', sentence, evidence: [] });
  }
  const bad = standby.alive.length > 0 ? badParts(standby.alive, view.standby, view.settings.slow, ['job']) : [];
  const unheard = standby.dark.length > 0 && standby.alive.length === 0;
  const dark = unheard ? [`nothing gives a good answer to ${namesOf(standby.dark)}, who are no majority`] : [];
  const reasons = [...dark, ...bad, ...(view.notReady ?? [])];
  if (reasons.length > 0 && !isDark(standby))
    found.push({ code: 'StandbyNotReady', sentence: `${view.standby}: ${reasons.join('; ')}`, evidence: reasons });
  return found;
}

const regionProbes: readonly ProbeName[] = ['kafka', 'kafka-write', 'objects', 'flink', 'job', 'kubernetes', 'ingress'];

function badParts(
  pictures: readonly ObserverPicture[],
  region: string,
  slowMs: number,
  except: readonly ProbeName[] = [],
): readonly string[] {
  const isOf = (l: Seen) => l.region === region && regionProbes.includes(l.probe) && !except.includes(l.probe);
  const isBad = (l: Seen) => l.status !== 'ok' || l.latencyMs > slowMs;
  const told = new Set<string>();
  const parts: string[] = [];
  for (const look of pictures.flatMap((p) => p.looks.filter((l) => isOf(l) && isBad(l)))) {
    const same = (l: Seen) => l.probe === look.probe && l.region === region && l.subject === look.subject;
    const thing = `${look.probe} ${look.subject ?? ''}`;
    if (told.has(thing)) continue;
    told.add(thing);
    const looks = pictures.flatMap((p) => p.looks.filter(same));
    const bad = looks.filter(isBad);
    if (bad.length * 2 <= looks.length) continue;
    const what = look.status === 'ok' ? `${look.probe} takes ${look.latencyMs} ms to answer` : lookSentence(look);
    parts.push(`${what} (${bad.map((l) => l.observer).join(', ')})`);
  }
  return parts;
}

const simpleCodes: Readonly<Partial<Record<ProbeName, VerdictCode>>> = {
  mirror: 'MirrorStalled',
  checkpoints: 'CheckpointsStale',
  heartbeat: 'HeartbeatLate',
  dns: 'DnsDisagrees',
  clock: 'ClockSkewed',
  expiry: 'Expiring',
};

/** A mirror that doesn't reach its source is told from here on: a broker that is restarted is back sooner. */
const severedMs = 10_000;

/** Whether most who look at the primary's Kafka reach it: a mirror that does not is cut off from a primary that works. */
function mostReachKafka({ pictures, primary }: ConditionView): boolean {
  const looks = pictures
    .filter((p) => p.heard && !p.blind)
    .flatMap((p) => p.looks.filter((l) => l.probe === 'kafka' && l.region === primary));
  return looks.filter((l) => l.status === 'ok').length * 2 > looks.length;
}

const isSevered = (look: Seen) =>
  look.probe === 'mirror' && look.code === 'SourceUnreachable' && notOkMs(look) >= severedMs;

/** What any one observer may say: it failed. Silence says nothing here, but a mirror's about a primary that others reach. */
function simple(view: ConditionView): readonly Condition[] {
  const { pictures, witness } = view;
  const reached = mostReachKafka(view);
  const found = new Map<string, Condition>();
  const told = [...pictures.filter((o) => o.heard && !o.blind), ...(witness ? [witness] : [])];
  for (const p of told) {
    for (const look of p.looks) {
      const code = simpleCodes[look.probe];
      const severed = reached && isSevered(look);
      if (code === undefined || (look.status !== 'failed' && !severed)) continue;
      const subject = [look.region, look.subject].filter((s) => s !== undefined).join(' ');
      const key = `${code} ${subject}`;
      const said = `${p.name}: ${lookSentence(look)}${severed ? '; most observers reach it' : ''}`;
      const before = found.get(key);
      found.set(key, {
        code,
        ...(subject === '' ? {} : { subject }),
        sentence: before?.sentence ?? said,
        evidence: [...(before?.evidence ?? []), said],
      });
    }
  }
  const heard = pictures.filter((p) => p.heard);
  const without = heard.filter((p) => p.looks.some((l) => l.probe === 'state' && l.status !== 'ok'));
  if (without.length * 2 > heard.length)
    found.set('state', {
      code: 'StateUnreachable',
      sentence: `${namesOf(without)} can't use the place of the state`,
      evidence: without.flatMap((p) =>
        p.looks.filter((l) => l.probe === 'state').map((l) => `${p.name}: ${lookSentence(l)}`),
      ),
    });
  return [...found.values()];
}

/** A look with this code found that the side which is not primary takes writes. */
const fencedSideWritable = 'FencedSideWritable';

/**
 * A job is at work in both where it was seen to run in each at one instant: neither a move nor a look from before the
 * roles changed is that.
 */
function splitBrain({ pictures, witness, primary, standby, settings }: ConditionView): readonly Condition[] {
  const looks = [...pictures, ...(witness ? [witness] : [])]
    .flatMap(({ atMs = 0, looks }) =>
      looks.map((look) => ({ look, firstAgoMs: atMs - look.sinceMs, lastAgoMs: atMs - look.atMs })),
    )
    .filter(({ lastAgoMs }) => lastAgoMs <= settings.stale);
  const running = (region: string) =>
    looks.filter(({ look }) => look.probe === 'job' && look.region === region && look.status === 'ok');
  const there = running(standby);
  const both = running(primary).filter((here) =>
    there.some(
      (other) =>
        other.look.subject === here.look.subject &&
        other.lastAgoMs <= here.firstAgoMs &&
        here.lastAgoMs <= other.firstAgoMs,
    ),
  );
  const writable = looks.filter(({ look }) => look.code === fencedSideWritable && look.region !== primary);
  const evidence = [
    ...new Set(both.map(({ look }) => `job ${look.subject ?? ''} runs in ${primary} and in ${standby}`)),
    ...writable.map(({ look }) => `${look.observer}: ${lookSentence(look)}`),
  ];
  return evidence.length === 0 ? [] : [{ code: 'SplitBrainRisk', sentence: evidence.join('; '), evidence }];
}

function cutOff(pictures: readonly ObserverPicture[]): readonly Condition[] {
  return pictures.flatMap((p): readonly Condition[] => {
    if (p.heard && !p.blind) return [];
    const silent = p.silentMs === undefined ? 'was not heard yet' : `is silent for ${Math.round(p.silentMs / 1_000)} s`;
    const sentence = p.blind ? `${p.name} finds no region alive, others do` : `${p.name} ${silent}`;
    return [{ code: 'ObserverCutOff', subject: p.name, sentence, evidence: [] }];
  });
}
