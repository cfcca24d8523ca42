import { compose } from '../../cli/compose.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { faultEyes } from '../../cli/drill/fault-eyes.ts';
import { faultNotesIn, openFaultHooks } from '../../cli/drill/open-faults.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import type { FaultName } from '../../domain/fault-config.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import { faultAs, faultCatalogue } from '../../drills/faults/catalogue.ts';
import type { FaultEyes, FaultNotes } from '../../drills/faults/ports.ts';
import { runFaultDrill } from '../../drills/faults/run.ts';
import type { RunEvent } from '../../runbooks/engine/run-result.ts';
import { drillState } from '../../state/drills.ts';

const roles = { primary: 'mumbai', standby: 'singapore' };

/** Fault drills in a lab of two brokers: without Flink, so that jobs and recovery points are taken for well. */
export interface BrokerFaults {
  readonly notes: FaultNotes;
  drill(name: FaultName, holder: string, onEvent?: (event: RunEvent) => void, leastMs?: number): Promise<DrillReport>;
  close(): Promise<void>;
}

/** Opens the lab's configuration, with its real hooks and its real looks at Kafka, stores and names. */
export async function brokerFaults(configPath: string, env: NodeJS.ProcessEnv): Promise<BrokerFaults> {
  const composition = await compose(await loadConfig(configPath), env);
  const real = faultEyes({ clock: wallClock }, composition, roles);
  const eyes: FaultEyes = {
    ...real,
    async look(signal) {
      const look = await real.look(signal);
      const { primary, standby } = look.parts;
      const bad = look.bad.filter((b) => !/^(flink|job) /.test(b));
      const parts = { primary: { ...primary, flink: 'ok', job: 'ok' }, standby: { ...standby, flink: 'ok' } } as const;
      return { ...look, bad, parts, points: { counts: look.atMs } };
    },
  };
  const state = drillState(composition.state);
  const notes = faultNotesIn(state);
  return {
    notes,
    async drill(name, holder, onEvent, leastMs = 4_000) {
      const fault = faultAs(faultCatalogue[name], { hold: 60_000, verdicts: [] });
      const hooks = await openFaultHooks(composition, env, name);
      if (hooks === undefined) throw new Error(`the lab has no hooks for ${name}`);
      return runFaultDrill(
        { state, clock: wallClock, signal: AbortSignal.timeout(240_000), holder, ...(onEvent && { onEvent }) },
        {
          ...{ fault: { ...fault, leastMs }, hooks, notes, eyes, occasion: {} },
          calm: { automatic: { mode: 'manual', observers: [] }, kubernetes: false },
          about: { trigger: { kind: 'person' }, from: roles.primary, to: roles.standby },
        },
      );
    },
    close: () => composition.close(),
  };
}
