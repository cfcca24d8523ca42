import type { AutomaticSettings } from '../domain/automatic-config.ts';
import type { Roles } from '../domain/roles.ts';
import type { Verdict } from './verdict.ts';
import { type VerdictCode, verdictTable } from './verdict-table.ts';

/** Why nothing is done though a verdict would allow it. */
export type WaitCode =
  | 'ModeManual'
  | 'HoldDown'
  | 'UnreachableNotAccepted'
  | 'Unfenced'
  | 'StatePlace'
  | 'StateUnreadable'
  | 'ObserversTooFew'
  | 'NotLeading'
  | 'ReplicationSuspended'
  | 'NotReady'
  | 'ReadinessUnknown'
  | 'LossAboveBudget'
  | 'LossUnknown'
  | 'AntiFlap'
  | 'RunCutOff'
  | 'SomebodyActs'
  | 'StandbyBad'
  | 'PlanBlocked';

export interface WaitReason {
  readonly code: WaitCode;
  readonly message: string;
}

/** What automatic mode does now. */
export type AutomaticDecision =
  /** Nothing that could be acted on. */
  | { readonly kind: 'idle'; readonly sentence: string }
  | {
      readonly kind: 'act' | 'advise';
      readonly verdict: VerdictCode;
      readonly from: string;
      readonly to: string;
      readonly sentence: string;
      readonly acceptUnfenced: boolean;
      /** The run that is gone on with. */
      readonly resumes?: string;
    }
  | {
      readonly kind: 'wait';
      /** Absent: none allows anything. */
      readonly verdict?: VerdictCode;
      readonly sentence: string;
      readonly reasons: readonly WaitReason[];
    };

/** A run of automatic mode that was cut off. */
export interface CutOffRun {
  readonly run: string;
  readonly from: string;
  readonly to: string;
  /** It, or one that it went on with, passed the point from which on nothing is taken back. */
  readonly pastReturn: boolean;
  /** It was interrupted, and took back all that it could; `but-jobs`: all but the primary's jobs, which stay stopped. */
  readonly ended?: 'with-remains' | 'but-jobs';
}

export interface AutomaticView {
  readonly settings: AutomaticSettings;
  readonly verdicts: readonly Verdict[];
  /** Undefined: the state can't be read, or none are written. */
  readonly roles: Pick<Roles, 'epoch' | 'primary' | 'standby' | 'replication' | 'atMs'> | undefined;
  /** Wall clock. */
  readonly nowMs: number;
  readonly leads: boolean;
  /** Where the state lies, as far as its address and the configuration tell. */
  readonly statePlace: 'outside' | 'inside' | 'untold';
  /** A guard in each region fences it from inside. */
  readonly guarded: boolean;
  /** The newest word before the outage; absent: there was none lately. */
  readonly readiness?:
    | { readonly status: 'green' | 'yellow' | 'red'; readonly blockers: readonly string[] }
    | undefined;
  readonly rpoMs: number;
  /** What would be lost, as the age of the oldest lost record. */
  readonly lossMs: number | 'unknown';
  /** The newest run that changes roles, and when it began, whoever made it. */
  readonly lastRun?: { readonly run: string; readonly atMs: number } | undefined;
  /** After which run, and under which roles, a person last said that automatic mode may act again. */
  readonly acknowledged?: { readonly run?: string; readonly rolesEpoch?: number } | undefined;
  readonly cutOff?: CutOffRun | undefined;
  /** Who holds the right to act now. */
  readonly acting?: string | undefined;
  /** What the last plan was refused for. */
  readonly planBlocked?: string | undefined;
}

/** Whether to begin a failover now, to ask for one, or why neither. Pure. */
export function decideAutomatic(view: AutomaticView): AutomaticDecision {
  const { settings, roles, verdicts } = view;
  const cutOff = cutOffNow(view);
  if (cutOff?.pastReturn) return goOn(view, cutOff);
  // What took all back can't be gone on with: the next is a run of its own.
  const goesOn = cutOff?.ended === 'but-jobs' ? undefined : cutOff;
  const actionable = verdicts.find((v) => v.holds && verdictTable[v.code].act === 'failover');
  if (actionable === undefined)
    return cutOff === undefined ? { kind: 'idle', sentence: idleSentence(verdicts) } : leaveToPerson(cutOff);
  const { code: verdict } = actionable;
  if (settings.mode === 'manual') {
    const message = 'mode is manual: a person decides; `argus failover`';
    return { kind: 'wait', verdict, sentence: actionable.sentence, reasons: [{ code: 'ModeManual', message }] };
  }
  const reasons = reasonsToWait(view, actionable, goesOn !== undefined);
  if (roles === undefined || reasons.length > 0)
    return { kind: 'wait', verdict, sentence: actionable.sentence, reasons };
  return {
    kind: settings.mode === 'advise' ? 'advise' : 'act',
    verdict,
    from: roles.primary,
    to: roles.standby,
    sentence: `${verdict}: ${actionable.sentence}`,
    acceptUnfenced: settings.acceptUnfenced,
    ...(goesOn === undefined ? {} : { resumes: goesOn.run }),
  };
}

/** Short of its point of no return a run says nothing of roles that were changed since. */
function cutOffNow({ settings, roles, cutOff }: AutomaticView): CutOffRun | undefined {
  if (settings.mode !== 'automatic' || roles === undefined || cutOff === undefined) return undefined;
  return cutOff.pastReturn || cutOff.from === roles.primary ? cutOff : undefined;
}

const cutOffSentence = ({ run }: CutOffRun) => `the automatic run ${run} was cut off`;

/** Past the point of no return only the end makes things whole, whatever is seen by then. */
function goOn(view: AutomaticView, cutOff: CutOffRun): AutomaticDecision {
  const sentence = cutOffSentence(cutOff);
  const reasons = rightReasons(view);
  if (reasons.length > 0) return { kind: 'wait', verdict: 'PrimaryDead', sentence, reasons };
  const { run: resumes, from, to } = cutOff;
  const { acceptUnfenced } = view.settings;
  return { kind: 'act', verdict: 'PrimaryDead', from, to, sentence, acceptUnfenced, resumes };
}

function leaveToPerson(cutOff: CutOffRun): AutomaticDecision {
  const { run, from, ended } = cutOff;
  const ways = {
    none: `a person decides; \`argus failover\` goes on, \`argus runs abort ${run}\` takes back`,
    'with-remains': 'not all could be taken back; a person decides; `argus failover` goes on',
    'but-jobs': `all was taken back, but its jobs may be stopped: look, start them again, then \`argus automatic ack\``,
  };
  const message = `${from} is not seen dead now: ${ways[ended ?? 'none']}`;
  return { kind: 'wait', sentence: cutOffSentence(cutOff), reasons: [{ code: 'RunCutOff', message }] };
}

const idleSentence = (verdicts: readonly Verdict[]): string => {
  const first = verdicts[0];
  if (first === undefined) return 'nobody has told enough yet';
  if (!first.holds) return `${first.code} stood, and does not hold now`;
  return first.code === 'AllWell' ? first.sentence : `${first.code} allows no failover: ${first.sentence}`;
};

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;

function reasonsToWait(view: AutomaticView, verdict: Verdict, goesOn: boolean): readonly WaitReason[] {
  return [
    ...holdReasons(view, verdict),
    // A run that is gone on with was begun when nothing of this stood in its way.
    ...(goesOn ? [] : flapReasons(view)),
    ...configurationReasons(view, verdict),
    ...standbyReasons(view),
    ...(view.settings.mode === 'automatic' ? rightReasons(view) : []),
  ];
}

function holdReasons({ settings }: AutomaticView, { code, heldMs }: Verdict): readonly WaitReason[] {
  const needed = code === 'PrimaryDead' ? settings.holdDown : settings.unreachableHoldDown;
  if (heldMs >= needed) return [];
  const message = `${code} must hold for ${seconds(needed)} without a break; it does for ${Math.floor(heldMs / 1_000)} s`;
  return [{ code: 'HoldDown', message }];
}

function flapReasons({ settings, roles, nowMs, ...view }: AutomaticView): readonly WaitReason[] {
  const changedAtMs = roles !== undefined && roles.epoch > 1 ? roles.atMs : undefined;
  const lastMs = Math.max(changedAtMs ?? -1, view.lastRun?.atMs ?? -1);
  // A clock that was set back must not end the period early.
  const within = lastMs >= 0 && nowMs - lastMs < settings.antiFlap;
  if (!within) return [];
  const { acknowledged, lastRun } = view;
  // By name: the clock of whoever said so may be another than that of whoever made the run.
  if (acknowledged && acknowledged.run === lastRun?.run && acknowledged.rolesEpoch === roles?.epoch) return [];
  const message = `roles were changed, or a run was made, ${seconds(Math.max(0, nowMs - lastMs))} ago: nothing is done by itself for ${seconds(settings.antiFlap)}, unless \`argus automatic ack\` allows it`;
  return [{ code: 'AntiFlap', message }];
}

function configurationReasons(view: AutomaticView, verdict: Verdict): readonly WaitReason[] {
  const { settings, statePlace } = view;
  const reasons: WaitReason[] = [];
  const { observers } = settings;
  if (settings.mode === 'automatic' && (observers.length < 3 || !observers.some((o) => o.place === 'outside')))
    reasons.push({
      code: 'ObserversTooFew',
      message: 'automatic mode needs three configured observers or more, one outside both regions',
    });
  if (verdict.code !== 'PrimaryDead' && !settings.acceptUnreachable)
    reasons.push({
      code: 'UnreachableNotAccepted',
      message: 'nobody was refused, so the primary may live behind a cut; automatic.acceptUnreachable was not set',
    });
  if (!view.guarded && !settings.acceptUnfenced)
    reasons.push({
      code: 'Unfenced',
      message:
        'nothing would prove that the old primary takes no more writes: no guard, and automatic.acceptUnfenced was not set',
    });
  if (statePlace === 'inside')
    reasons.push({
      code: 'StatePlace',
      message: 'the state lies in one of the two regions: it must lie in a third place',
    });
  if (statePlace === 'untold')
    reasons.push({
      code: 'StatePlace',
      message: 'whether the state lies outside both regions can’t be seen; if it does, set automatic.stateIsOutside',
    });
  return reasons;
}

function standbyReasons({ readiness, lossMs, rpoMs, verdicts, roles }: AutomaticView): readonly WaitReason[] {
  const reasons: WaitReason[] = [];
  if (roles?.replication === 'suspended')
    reasons.push({
      code: 'ReplicationSuspended',
      message: 'replication is suspended since the last promotion: the standby lags',
    });
  if (readiness === undefined)
    reasons.push({ code: 'ReadinessUnknown', message: 'nobody found lately whether a failover would work' });
  else if (readiness.status !== 'green')
    reasons.push({
      code: 'NotReady',
      message: `readiness was ${readiness.status}${readiness.blockers.map((b) => `; ${b}`).join('')}`,
    });
  const bad = verdicts.find((v) => v.code === 'StandbyDead' || v.code === 'SplitBrainRisk');
  if (bad) reasons.push({ code: 'StandbyBad', message: bad.sentence });
  if (lossMs === 'unknown') reasons.push({ code: 'LossUnknown', message: 'nobody can tell how much would be lost' });
  else if (lossMs > rpoMs)
    reasons.push({
      code: 'LossAboveBudget',
      message: `about ${seconds(lossMs)} of records would be lost, the objective is ${seconds(rpoMs)}`,
    });
  return reasons;
}

/** Whether this process may act. */
function rightReasons({ roles, leads, acting, planBlocked }: AutomaticView): readonly WaitReason[] {
  const reasons: WaitReason[] = [];
  if (roles === undefined) reasons.push({ code: 'StateUnreadable', message: 'the roles can’t be read' });
  if (!leads) reasons.push({ code: 'NotLeading', message: 'another daemon acts, or none is chosen yet' });
  if (acting !== undefined) reasons.push({ code: 'SomebodyActs', message: `${acting} is at work` });
  if (planBlocked !== undefined) reasons.push({ code: 'PlanBlocked', message: planBlocked });
  return reasons;
}

/** Whether two decisions say the same, but for passing time: what is kept and told is only what changed. Pure. */
export function sameDecision(a: AutomaticDecision, b: AutomaticDecision): boolean {
  const said = (d: AutomaticDecision) =>
    d.kind === 'idle'
      ? [d.kind]
      : d.kind === 'wait'
        ? [d.kind, d.verdict, ...d.reasons.map((r) => r.code)]
        : [d.kind, d.verdict, d.from, d.to];
  return said(a).join(' ') === said(b).join(' ');
}
