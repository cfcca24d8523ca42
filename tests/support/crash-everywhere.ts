import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../domain/clock.ts';
import type { LocalProcesses } from '../../runbooks/engine/under-lease.ts';

/**
 * Kills a runbook at every point at which it touches the world, and has another process go on.
 *
 * Describe the runbook as a `Story`, list its deaths once, and make a test of each:
 *
 *     const { deaths, undisturbed } = await enumerateDeaths(story);
 *     test.each(deaths)('$name: the next run ends it', (death) => dieAndResume(story, death, undisturbed));
 *
 * Inside `attempt`, hand every port to the runbook as `process.port(name, port, reads)`: each call of a method that is
 * not among `reads` is a point to die at, four times: before it arrives, after its effect and before its answer, and
 * with the effect arriving soon or late, when the next process is already waiting for the lease. `process.context` does
 * it for all ports of a failover's context and those like it. A killed process' ports answer nothing any more.
 * Hand `process.processes` over too: all but those of a `late` death run on one system.
 */
export interface Story<W extends { readonly clock: Clock }> {
  /** A fresh world in which nothing was begun. */
  begin(): Promise<W>;
  /**
   * One process' attempt, as its command makes it: from looking for a run to go on with to giving back the lease.
   * `n` counts from 1: a run's name and holder come of it. It may throw where a command would refuse, as when all is done.
   */
  attempt(world: W, process: Mortal, n: number): Promise<unknown>;
  /** What has to be equal in the end however often it was killed: roles, records, jobs, offsets; not names of runs. */
  endState(world: W): Promise<unknown>;
  /** The effects made in the world, in order, told apart by their text. */
  effects(world: W): readonly string[];
  /** Effects that may be made again, since they change nothing the second time. */
  repeatable?(effect: string): boolean;
  /** What must hold after every attempt, one that died too: throws. */
  invariants?(world: W): Promise<void>;
}

/** A point at which a process is killed. */
export interface Death {
  /** The how manieth effect of the process, from 0. */
  readonly at: number;
  /** The effect arrives `soon` after the death, or `late`: then the next process is on another system. */
  readonly when: 'before' | 'after' | 'soon' | 'late';
  readonly name: string;
}

/** How late an effect may still arrive: as long as requests under way may live after a lease's end was near. */
const lateMs = 8_000;

/** The same where the death itself was seen, and nothing but such requests is waited for. */
const soonMs = 4_500;

/** The processes of a world, by its clock; their ids are their places. */
const systems = new WeakMap<Clock, Mortal[]>();

/** What a killed process' ports answer with. */
export class Killed extends Error {
  constructor() {
    super('killed');
  }
}

/** A process that can be killed: it touches the world through its ports alone. */
export class Mortal {
  /** Each effect that was begun, as `port.method key`. */
  readonly points: string[] = [];
  /** Resolves when the process was killed. */
  readonly died: Promise<void>;
  dead = false;
  /** What it knows of the others; nothing where a death is `late`. */
  readonly processes: LocalProcesses | undefined;
  private readonly clock: Clock;
  private readonly death: Pick<Death, 'at' | 'when'> | undefined;
  private settleDied: () => void = () => undefined;

  constructor(clock: Clock, death?: Pick<Death, 'at' | 'when'>) {
    this.clock = clock;
    this.death = death;
    const all = systems.get(clock) ?? [];
    systems.set(clock, [...all, this]);
    const own = { system: 'here', pid: all.length + 1, started: '1' };
    const told: LocalProcesses = {
      own: () => own,
      isGone: ({ pid }) => systems.get(clock)?.[pid - 1]?.dead === true,
    };
    this.processes = death?.when === 'late' ? undefined : told;
    this.died = new Promise((resolve) => {
      this.settleDied = resolve;
    });
  }

  /** A port as this process has it; `reads` are the methods without an effect, by name or by pattern. */
  port<T extends object>(name: string, port: T, reads: RegExp = readingNames): T {
    return new Proxy(port, {
      get: (target, key, receiver) => {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof value !== 'function' || typeof key !== 'string') return value;
        const call = (...args: readonly unknown[]): Promise<unknown> => Promise.resolve(value.apply(target, args));
        if (reads.test(key)) return (...args: readonly unknown[]) => this.read(() => call(...args));
        return (...args: readonly unknown[]) => {
          const what = typeof args[0] === 'string' ? ` ${args[0]}` : '';
          return this.effect(`${name}.${key}${what}`, () => call(...args));
        };
      },
    });
  }

  /** A runbook's context with every port in it, one level of regions and names included, as this process has it. */
  context<T extends object>(context: T): T {
    const wrapped = Object.entries(context).map(([name, value]) => [name, this.part(name, value)]);
    return { ...context, ...Object.fromEntries(wrapped) };
  }

  private part(name: string, value: unknown): unknown {
    if (typeof value === 'function') {
      if (readingNames.test(name)) return (...args: unknown[]) => this.read(() => value(...args));
      return (...args: unknown[]) => this.effect(name, () => value(...args));
    }
    if (name === 'state' || name === 'remains') return this.port(name, value as object);
    if ((name === 'primary' || name === 'standby') && value !== null && typeof value === 'object') {
      return this.parts(name, value, ['kafka', 'flink', 'objects', 'fence']);
    }
    if (name === 'names' && value !== null && typeof value === 'object') return this.parts(name, value, ['records']);
    return value;
  }

  private parts(name: string, value: object, ports: readonly string[]): object {
    const wrapped = Object.entries(value).map(([key, port]) => [
      key,
      ports.includes(key) ? this.port(`${name}.${key}`, port) : port,
    ]);
    return { ...value, ...Object.fromEntries(wrapped) };
  }

  private async read<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    const answer = await call();
    if (this.dead) throw new Killed();
    return answer;
  }

  private async effect<T>(name: string, make: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    this.points.push(name);
    if (this.death?.at !== this.points.length - 1) return this.read(make);
    if (this.death.when === 'before') return this.kill();
    if (this.death.when === 'late' || this.death.when === 'soon') {
      // What refuses a late effect, like a condition that does not hold any more, is part of the world.
      void this.clock
        .sleep(this.death.when === 'late' ? lateMs : soonMs)
        .then(make)
        .catch(() => undefined);
      return this.kill();
    }
    await make().catch(() => undefined);
    return this.kill();
  }

  private kill(): never {
    this.dead = true;
    this.settleDied();
    throw new Killed();
  }
}

/** Methods whose names say that they look only. Any other is taken for an effect: a point too many costs a test. */
const readingNames =
  /^(get|head|open|list|find|read|look|describe|logRanges|log|checkpoints|slots|failureOf|resolve|choose|recount|group|held|openTransactions|close$|status|check|inspect|show|rules|try)/;

/** Without a run's name, which says nothing. */
const short = (name: string) => name.replace(/\d{8}T\d{6}Z-[a-z]+-[0-9a-f]{4}\//, '');

/** Every death of a story that its undisturbed run gives occasion to, and how that run left the world. */
export async function enumerateDeaths<W extends { readonly clock: Clock }>(
  story: Story<W>,
): Promise<{ readonly deaths: readonly Death[]; readonly undisturbed: unknown }> {
  const world = await story.begin();
  const process = new Mortal(world.clock);
  await story.attempt(world, process, 1);
  await story.invariants?.(world);
  const deaths = process.points.flatMap((name, at) =>
    (['before', 'after', 'soon', 'late'] as const).map((when) => ({ at, when, name: `${at}, ${when} ${short(name)}` })),
  );
  return { deaths, undisturbed: await story.endState(world) };
}

/**
 * Kills the first process at `death`, has a second one go on at once (killed too when `secondDeath` is given, and gone
 * on with by a third), and throws unless the world ends as if nothing had happened and no effect was made twice.
 */
export async function dieAndResume<W extends { readonly clock: Clock }>(
  story: Story<W>,
  death: Pick<Death, 'at' | 'when'>,
  undisturbed: unknown,
  secondDeath?: Pick<Death, 'at' | 'when'>,
): Promise<void> {
  const world = await story.begin();
  const first = new Mortal(world.clock, death);
  await untilEndOrDeath(story, world, first, 1);
  if (!first.dead) throw new Error(`the process ended alive after ${first.points.length} effects: ${first.points}`);
  await story.invariants?.(world);
  const others = secondDeath === undefined ? [undefined] : [secondDeath, undefined];
  for (const [i, next] of others.entries()) {
    await untilEndOrDeath(story, world, new Mortal(world.clock, next), i + 2);
    await story.invariants?.(world);
  }
  // What was under way when a process died has arrived.
  await world.clock.sleep(2 * lateMs);
  await story.invariants?.(world);
  const ended = await story.endState(world);
  if (!isDeepStrictEqual(ended, undisturbed)) {
    throw new Error(`ended otherwise than undisturbed:\n${render(ended)}\nnot\n${render(undisturbed)}`);
  }
  const twice = story.effects(world).filter((e, i, all) => all.indexOf(e) !== i && story.repeatable?.(e) !== true);
  if (twice.length > 0) throw new Error(`made twice: ${twice.join(', ')}; of ${story.effects(world).join(', ')}`);
}

/** A command that refuses, since all is done, has ended; so has one that was killed, whatever its code still does. */
async function untilEndOrDeath<W extends { readonly clock: Clock }>(
  story: Story<W>,
  world: W,
  process: Mortal,
  n: number,
): Promise<void> {
  const attempt = story.attempt(world, process, n).catch((error: unknown) => {
    if (!process.dead && !isRefusal(error)) throw error;
  });
  await Promise.race([attempt, process.died]);
}

const isRefusal = (error: unknown) =>
  typeof error === 'object' && error !== null && 'exitCode' in error && error.exitCode === 3;

const render = (value: unknown) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v), 2);
