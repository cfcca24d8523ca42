import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeTools } from '../../lab/setup/debian.ts';
import { diffMachine, type MachineState, machineState } from './machine-state.ts';

/** What differs from before, when it has come to rest: the kernel needs a moment for the last of a namespace. */
export async function settledDifference(before: MachineState, tools: NodeTools): Promise<readonly string[]> {
  let difference = diffMachine(before, machineState(tools));
  for (const endsAt = Date.now() + 10_000; difference.length > 0 && Date.now() < endsAt; await sleep(200)) {
    difference = diffMachine(before, machineState(tools));
  }
  return difference;
}
