// Starts a region with pods and a watcher over it, and waits to be killed. Arguments: folder, id of the lab.
import { startClusterRegion } from '../../lab/cluster/start-cluster-region.ts';
import { startReaper } from '../../lab/reaper.ts';

const [dir = '', labId = ''] = process.argv.slice(2);
startReaper(dir, labId);
const region = await startClusterRegion({ labId, name: 'mumbai', dir });
console.log(`up ${region.server}`);
setInterval(() => undefined, 60_000);
