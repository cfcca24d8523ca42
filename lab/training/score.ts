/** What is right in a scenario. `either`: both can be, and the result says what each costs. */
export type RightMove = 'wait' | 'failover' | 'failback' | 'either';

/** One run that the trainee made, from the journal. */
export interface TrainingRun {
  readonly runbook: string;
  readonly startedAtMs: number;
  readonly status: string;
  /** It was accepted that nothing proves the old primary stopped. */
  readonly acceptedUnfenced: boolean;
  readonly rtoMs?: number;
}

/** What the auditor counted, who shares no code with Argus. */
export interface TrainingAudit {
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
}

/** All that a training is scored by. */
export interface TrainingFacts {
  readonly right: RightMove;
  /** Nobody can prove this primary stopped: to accept it is part of the right move. */
  readonly unfencedNeeded: boolean;
  readonly brokenAtMs: number;
  readonly pagedAtMs: number;
  readonly endedAtMs: number;
  /** When the trainee said that he waits; absent: he never did. */
  readonly waitedAtMs?: number;
  readonly hints: number;
  /** In the order in which they were begun, all behind the page. */
  readonly runs: readonly TrainingRun[];
  /** Absent: it could not be counted. */
  readonly audit?: TrainingAudit;
}

/** One line of the result. */
export interface ScoreLine {
  readonly what: 'decision' | 'time' | 'loss' | 'hints' | 'wrong moves';
  readonly points: number;
  readonly of: number;
  readonly says: string;
}

/** What a training came to. */
export interface Score {
  /** 0 to 100. */
  readonly points: number;
  readonly lines: readonly ScoreLine[];
  /** What should not have been done, or should have. */
  readonly wrongMoves: readonly string[];
}

const decisionPoints = 50;
const timePoints = 30;
const lossPoints = 20;
/** Whoever decides within `prompt` has all points for it, from `slow` on none. */
const outagePace = { promptMs: 60_000, slowMs: 5 * 60_000 };
/** Clients are served: there is time to read what it would do. */
const calmPace = { promptMs: 3 * 60_000, slowMs: 10 * 60_000 };

/** Judges a training by what happened. Pure. */
export function scoreTraining(facts: TrainingFacts): Score {
  const moves = facts.runs.filter((r) => movesRoles(r.runbook));
  const decision = decisionOf(facts, moves);
  const time =
    decision.points === 0 ? none('time', timePoints, 'a wrong decision has no good time') : timeOf(facts, moves);
  const loss = lossOf(facts, moves, decision.points > 0 && facts.right !== 'wait');
  const wrongMoves = wrongMovesOf(facts, moves);
  const penalty = Math.min(30, wrongMoves.length * 15);
  const hints = Math.min(20, facts.hints * 5);
  const lines: readonly ScoreLine[] = [
    decision,
    time,
    loss,
    { what: 'wrong moves', points: -penalty, of: 0, says: wrongMoves.join('; ') || 'none' },
    { what: 'hints', points: -hints, of: 0, says: `${facts.hints} taken` },
  ];
  const points = Math.max(0, Math.round(lines.reduce((sum, l) => sum + l.points, 0)));
  return { points, lines, wrongMoves };
}

const movesRoles = (runbook: string) => ['failover', 'switchover', 'failback'].includes(runbook);

const none = (what: ScoreLine['what'], of: number, says: string): ScoreLine => ({ what, points: 0, of, says });

function decisionOf({ right }: TrainingFacts, moves: readonly TrainingRun[]): ScoreLine {
  const line = (points: number, says: string): ScoreLine => ({ what: 'decision', points, of: decisionPoints, says });
  const [first] = moves;
  if (right === 'wait' || (right === 'either' && first === undefined)) {
    if (first === undefined)
      return line(decisionPoints, right === 'wait' ? 'waited, which was right' : 'waited, which can be right');
    // It costs some seconds of service and no record: hasty, and no disaster.
    if (right === 'wait' && moves.every((r) => r.runbook === 'switchover'))
      return line(decisionPoints / 2, 'a switchover loses nothing, and waiting was right');
    return line(0, `a ${first.runbook} was begun where waiting was right`);
  }
  const wanted = right === 'either' ? 'failover' : right;
  const own = moves.filter((r) => r.runbook === wanted);
  if (own.some((r) => r.status === 'done')) return line(decisionPoints, `a ${wanted}, which was right`);
  if (own.length > 0) return line(decisionPoints / 2, `a ${wanted} was begun and did not get to its end`);
  return line(0, first ? `a ${first.runbook} instead of a ${wanted}` : `no ${wanted} was begun`);
}

function timeOf(facts: TrainingFacts, moves: readonly TrainingRun[]): ScoreLine {
  const [first] = moves;
  const decidedAtMs = first?.startedAtMs ?? facts.waitedAtMs;
  if (decidedAtMs === undefined)
    return { what: 'time', points: timePoints / 2, of: timePoints, says: 'nobody was told that you wait' };
  const decidedMs = Math.max(0, decidedAtMs - facts.pagedAtMs);
  const said = `decided ${seconds(decidedMs)} after the page`;
  const pace = facts.right === 'failback' ? calmPace : outagePace;
  const rtoMs = moves.find((r) => r.rtoMs !== undefined)?.rtoMs;
  if (rtoMs === undefined)
    return { what: 'time', points: scaled(timePoints, decidedMs, pace), of: timePoints, says: said };
  const points = scaled(timePoints / 2, decidedMs, pace) + scaled(timePoints / 2, rtoMs, pace);
  return { what: 'time', points, of: timePoints, says: `${said}; RTO ${seconds(rtoMs)}` };
}

function scaled(points: number, ms: number, { promptMs, slowMs }: typeof outagePace): number {
  const share = (slowMs - ms) / (slowMs - promptMs);
  return Math.round(points * Math.min(1, Math.max(0, share)));
}

function lossOf({ audit, right }: TrainingFacts, moves: readonly TrainingRun[], rightly: boolean): ScoreLine {
  const line = (points: number, says: string): ScoreLine => ({ what: 'loss', points, of: lossPoints, says });
  if (audit === undefined) return line(0, 'it could not be counted');
  const { acknowledged, lost, doubled, misordered } = audit;
  const says = `${lost} of ${acknowledged} acknowledged events lost, ${doubled} doubled, ${misordered} out of order`;
  if (doubled + misordered > 0) return line(0, says);
  if (lost === 0) return line(lossPoints, says);
  if (moves.length > 0 && rightly) {
    const tail = 'the tail that had not been mirrored';
    const why = right === 'failback' ? `${tail}: the failback keeps it` : `${tail}, which nobody could save`;
    return line(lossPoints, `${says}: ${why}`);
  }
  return line(0, says);
}

function wrongMovesOf(facts: TrainingFacts, moves: readonly TrainingRun[]): readonly string[] {
  const { right, unfencedNeeded } = facts;
  const acted = moves.map((r) => `a ${r.runbook} where waiting was right`);
  const unfenced = moves.some((r) => r.acceptedUnfenced) && !unfencedNeeded;
  return [
    ...(right === 'wait' ? [...new Set(acted)] : []),
    ...(unfenced ? ['an unfenced primary was accepted without need'] : []),
    ...(right === 'failback' && moves.some((r) => r.runbook === 'failover')
      ? ['a failover to a region that was not caught up']
      : []),
    ...(right === 'failover' && moves.length === 0 ? ['nothing was done while clients had no service'] : []),
  ];
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;

/** The result as a table, and what a good run looks like. Pure. */
export function renderScore(title: string, score: Score, good: readonly string[]): string {
  const rows = score.lines.map(
    (l) => `  ${l.what.padEnd(12)} ${`${l.points}${l.of > 0 ? ` of ${l.of}` : ''}`.padStart(9)}  ${l.says}`,
  );
  return [`${title}: ${score.points} of 100`, ...rows, '', 'A good run:', ...good.map((g) => `  ${g}`)].join('\n');
}
