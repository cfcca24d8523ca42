import { endClusterRegionsOf } from './cluster/end-cluster-region.ts';
import { killProcesses } from './components/process-table.ts';
import { removeFolder } from './lab-folder.ts';

/** Ends the lab `id`: its regions with pods, all else that carries its mark, and its folder. May be called again. */
export async function removeLab(dir: string, id: string): Promise<void> {
  try {
    await endClusterRegionsOf(id);
  } finally {
    await killProcesses(id);
    removeFolder(dir, id);
  }
}
