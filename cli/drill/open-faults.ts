import type { Config } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { type FaultName, faultNames } from '../../domain/fault-config.ts';
import { type Fault, faultAs, faultCatalogue } from '../../drills/faults/catalogue.ts';
import type { FaultHooks, FaultNotes } from '../../drills/faults/ports.ts';
import { type VerdictCode, verdictTable } from '../../health/verdict-table.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { dropFaultNote, listFaultNotes, putFaultNote } from '../../state/fault-notes.ts';
import type { LoadedConfig } from '../config/load.ts';
import { resolveSecret } from '../config/load.ts';
import { openCall } from '../open-hooks.ts';

/** The catalogue's fault of that name, with the configuration's own times and verdicts. An unknown one is exit code 2. */
export function faultNamed(name: string, { drill, automatic }: Pick<Config, 'drill' | 'automatic'>): Fault {
  const known = faultNames.find((n) => n === name);
  if (known === undefined) {
    throw new ArgusError('FaultMissing', `there is no fault "${name}"`, {
      exitCode: 2,
      hint: `there are: ${faultNames.join(', ')}`,
    });
  }
  const own = drill.faults[known];
  const verdicts = own?.verdicts?.map((code) => verdictNamed(code, known));
  // Nobody but observers tells verdicts: without them nothing of the kind can be asked for.
  const judged = automatic.observers.length === 0 ? [] : verdicts;
  return faultAs(faultCatalogue[known], { hold: own?.hold, verdicts: judged });
}

function verdictNamed(code: string, fault: FaultName): VerdictCode {
  const known = Object.keys(verdictTable).find((c) => c === code);
  if (known !== undefined) return known as VerdictCode;
  throw new ArgusError('ConfigError', `drill.faults.${fault}.verdicts: there is no verdict "${code}"`, {
    exitCode: 2,
    hint: 'docs/verdicts.md has them all',
  });
}

/** The hooks of a fault, every secret resolved; undefined where the configuration has none. */
export async function openFaultHooks(
  { config, folder }: Pick<LoadedConfig, 'config' | 'folder'>,
  env: NodeJS.ProcessEnv,
  fault: FaultName,
): Promise<FaultHooks | undefined> {
  const own = config.drill.faults[fault];
  if (own === undefined) return undefined;
  const secret = (ref: string) => resolveSecret(ref, folder, env);
  const open = (key: 'inject' | 'heal' | 'check', call: NonNullable<typeof own.check>) =>
    openCall(`drill.faults.${fault}.${key}`, call, folder, secret);
  const inject = await open('inject', own.inject);
  const heal = await open('heal', own.heal);
  const check = own.check && (await open('check', own.check));
  const calls = { inject, heal, check };
  return {
    fault,
    manual: { inject: inject.manual, heal: heal.manual, ...(check && { check: check.manual }) },
    timeoutMs: { inject: own.inject.timeout, heal: own.heal.timeout, check: own.check?.timeout ?? 0 },
    async call(what, { run, epoch, from, to, seconds }, signal) {
      const call = calls[what];
      if (call === undefined) return { ok: true, result: 'there is no check', output: '' };
      const about = { hook: fault, run, runbook: 'drill', step: what, when: 'after' as const, epoch, from, to };
      return call.call(what === 'inject' && seconds !== undefined ? { ...about, seconds } : about, signal);
    },
  };
}

/** The notes of faults in the state of drills. */
export function faultNotesIn(drills: ObjectStore): FaultNotes {
  return {
    put: (note, signal) => putFaultNote(drills, note, { signal }),
    list: (signal) => listFaultNotes(drills, { signal }),
    drop: (fault, signal) => dropFaultNote(drills, fault, { signal }),
  };
}
