import { siblingEntry } from '../entry.ts';
import type { LabInfo } from '../lab-info.ts';

const everywhere = ['broker-down', 'objects-refusing', 'dns-api-down', 'link-slow', 'primary-dark'] as const;

/** `drill.faults` of a lab: its own controls as hooks. They are told for how long by `ARGUS_SECONDS`. */
export function faultHooks({ dir, cluster }: Pick<LabInfo, 'dir' | 'cluster'>): Readonly<Record<string, object>> {
  const program = siblingEntry(import.meta.url, '../cli');
  const call = (name: string, action: string) => ({
    run: [process.execPath, program, 'fault', name, action, '--dir', dir],
    timeout: '120s',
  });
  const all = [...everywhere, cluster ? ('api-server-frozen' as const) : ('taskmanager-lost' as const)];
  return Object.fromEntries(
    all.map((name) => [name, { inject: call(name, 'inject'), heal: call(name, 'heal'), check: call(name, 'check') }]),
  );
}
