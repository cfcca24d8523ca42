import { randomBytes } from 'node:crypto';
import type { AlertsSettings } from '../../domain/alerts-config.ts';
import type { Clock } from '../../domain/clock.ts';
import { describeError } from '../../domain/errors.ts';
import type { StatusView } from '../../health/status-view.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { claimAlertGroup, forgetAlertGroup, readAlertGroups } from '../../state/alerts.ts';
import { recordAttempt } from '../../state/attempts.ts';
import type { Log } from '../log.ts';
import type { AlertMessage } from './alertmanager.ts';
import { type Asked, alertRules } from './match.ts';
import { type RecentGroups, recentGroups } from './recent-groups.ts';

/** What automatic mode says when it is asked. */
export interface AutomaticWord {
  /** `act`: a failover is begun, or under way. */
  readonly kind: 'act' | 'advise' | 'wait' | 'idle';
  /** With the reasons in it. */
  readonly sentence: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
}

/** What an alert may lead to. Each is the daemon's own, and decides for itself. */
export interface AlertActions {
  /** What is seen of both regions, at most this old. */
  status(maxAgeMs: number, signal: AbortSignal): Promise<StatusView>;
  /** Prepares a failover, changes nothing, and tells on-call how to begin it: a sentence, and what is in its way. */
  propose(reason: string, signal: AbortSignal): Promise<Proposal>;
  /** Undefined: nobody has judged anything yet. */
  automatic(): AutomaticWord | undefined;
}

export interface Proposal {
  readonly sentence: string;
  readonly command: string;
  readonly blockers: readonly { readonly code: string; readonly message: string }[];
}

export interface AlertAnswer {
  readonly received: number;
  readonly action: Asked['action'];
  /** What became of it. `repeat`: the same group was answered before, and nothing more is done. `limited`: too many came. */
  readonly result: 'counted' | 'checked' | 'proposed' | 'begun' | 'not-begun' | 'repeat' | 'limited' | 'failed';
  readonly sentence: string;
  readonly status?: StatusView;
  readonly proposal?: Proposal;
  readonly automatic?: AutomaticWord;
}

export interface AlertDeskParts {
  readonly settings: AlertsSettings;
  readonly actions: AlertActions;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts what came, by what became of it. */
  readonly count: (result: AlertAnswer['result'], alerts: number) => void;
}

/** Takes what Alertmanager sends: `answer` never throws, and is cheap for what it has seen before. */
export interface AlertDesk {
  answer(message: AlertMessage, signal: AbortSignal): Promise<AlertAnswer>;
}

const stateMs = 5_000;
/** How often at most the groups in the state are read for those that end. */
const notedMs = 1_000;

type Effect = Omit<AlertAnswer, 'received' | 'action' | 'status'>;

/** Answers alerts by the rules of the configuration. Its memory is bounded, whatever comes. */
export function alertDesk(parts: AlertDeskParts): AlertDesk {
  const { settings, actions, state, clock, log } = parts;
  const asks = alertRules(settings);
  const recent: RecentGroups = recentGroups();
  let proposing = false;
  // What was answered with an effect last, by action.
  const last = new Map<string, { readonly effect: Effect; readonly atMs: number }>();
  let noted: { readonly isNoted: Promise<(groupKey: string) => boolean>; readonly atMs: number } | undefined;

  async function answered(message: AlertMessage, signal: AbortSignal): Promise<AlertAnswer> {
    const received = message.alerts.length;
    const { action, because } = asks(message);
    const seen = recent.see(message);
    if (action === 'none') {
      // Also when it is no news here: another daemon may have been told meanwhile that the group fires again.
      if (message.status === 'resolved') await forget(message.groupKey, signal);
      const sentence = message.status === 'resolved' ? 'the group has ended' : 'no rule of alerts.rules asks for more';
      return { received, action, result: 'counted', sentence };
    }
    const names = because.join(', ');
    if (seen === 'news') log.info({ alerts: received, action }, `Alertmanager tells of ${names}: ${action}`);
    const status = await actions.status(settings.checkEvery, signal);
    if (action === 'check') {
      return { received, action, result: 'checked', sentence: sentenceOf(status), status };
    }
    const answer = await withEffect(message, action, names, signal);
    return { received, action, status, ...answer };
  }

  /** The same group once, over restarts and several daemons. */
  async function withEffect(
    message: AlertMessage,
    action: 'propose' | 'act',
    names: string,
    signal: AbortSignal,
  ): Promise<Effect> {
    const { groupKey } = message;
    const word = actions.automatic();
    const automatic = word === undefined ? {} : { automatic: word };
    const repeat: Effect = { result: 'repeat', sentence: 'this group was answered before', ...automatic };
    if (recent.answered(groupKey, action, clock.monotonic())) return repeat;
    if (proposing) return { result: 'limited', sentence: 'another group is being answered', ...automatic };
    proposing = true;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(stateMs)]) };
    let claimed = false;
    try {
      const before = last.get(action);
      if (before !== undefined && clock.monotonic() - before.atMs < settings.effectEvery)
        return { ...before.effect, result: 'limited', sentence: `just now: ${before.effect.sentence}` };
      claimed = await claimAlertGroup(state, { groupKey, action, atMs: clock.now() }, call);
      noted = undefined;
      recent.note(groupKey, action, clock.monotonic());
      if (!claimed) return repeat;
      const effect = action === 'act' ? await askAutomatic(names, word, call) : await proposed(names, signal);
      last.set(action, { effect, atMs: clock.monotonic() });
      return effect;
    } catch (error) {
      // Not answered: it may be asked for again.
      recent.forget(groupKey);
      if (claimed) {
        await forget(groupKey, new AbortController().signal).catch((e: unknown) => {
          log.warn({}, `that the alerts ${names} are still to be answered can't be kept: ${describeError(e)}`);
        });
      }
      const sentence = describeError(error);
      log.warn({}, `the alerts ${names} could not be answered: ${sentence}`);
      return { result: 'failed', sentence, ...automatic };
    } finally {
      proposing = false;
    }
  }

  async function proposed(names: string, signal: AbortSignal): Promise<Effect> {
    const proposal = await actions.propose(`Alertmanager tells of ${names}`, signal);
    return { result: 'proposed', sentence: proposal.sentence, proposal };
  }

  /** Automatic mode looks each second and needs no alert: this tells what it makes of things, and keeps why it does nothing. */
  async function askAutomatic(
    names: string,
    word: AutomaticWord | undefined,
    call: { readonly signal: AbortSignal },
  ): Promise<Effect> {
    if (word?.kind === 'act') return { result: 'begun', sentence: word.sentence, automatic: word };
    const why = word?.sentence ?? 'nothing was judged yet';
    const attempt = {
      atMs: clock.now(),
      what: 'failover on an alert',
      by: 'Alertmanager',
      reason: names,
      code: word?.reasons[0]?.code ?? 'NotActionable',
      message: why,
    };
    await recordAttempt(state, attempt, randomBytes(2).toString('hex'), call);
    return { result: 'not-begun', sentence: why, ...(word && { automatic: word }) };
  }

  /** Takes a group that has ended out of the state; what is noted there is read once a second, not for each that ends. */
  async function forget(groupKey: string, signal: AbortSignal): Promise<void> {
    recent.forget(groupKey);
    if (!(await notedGroups())(groupKey)) return;
    await forgetAlertGroup(state, groupKey, { signal: AbortSignal.any([signal, AbortSignal.timeout(stateMs)]) });
    noted = undefined;
  }

  /** One reading for all that ask at the same time; one that fails is not kept. */
  function notedGroups(): Promise<(groupKey: string) => boolean> {
    if (noted !== undefined && clock.monotonic() - noted.atMs <= notedMs) return noted.isNoted;
    const isNoted = readAlertGroups(state, { signal: AbortSignal.timeout(stateMs) });
    noted = { isNoted, atMs: clock.monotonic() };
    isNoted.catch(() => {
      if (noted?.isNoted === isNoted) noted = undefined;
    });
    return isNoted;
  }

  return {
    async answer(message, signal) {
      let answer: AlertAnswer;
      try {
        answer = await answered(message, signal);
      } catch (error) {
        const sentence = describeError(error);
        answer = { received: message.alerts.length, action: 'none', result: 'failed', sentence };
      }
      parts.count(answer.result, Math.max(1, message.alerts.length));
      return answer;
    },
  };
}

function sentenceOf({ roles, healthy, blockers }: StatusView): string {
  const primary = healthy ? `${roles.primary} is well` : `${roles.primary} is not well`;
  const [first] = blockers;
  return first === undefined
    ? `${primary}; nothing blocks a failover`
    : `${primary}; a failover is blocked: ${first.sentence}`;
}
