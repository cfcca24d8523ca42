// Starts a region with pods, with a watcher over it unless told `unwatched`, and waits to be killed. Arguments: folder, id
// of the lab, `unwatched`.
import { startClusterRegion } from '../../lab/cluster/start-cluster-region.ts';
import { startReaper } from '../../lab/reaper.ts';

const [dir = '', labId = '', watched = ''] = process.argv.slice(2);
if (watched !== 'unwatched') startReaper(dir, labId);
const region = await startClusterRegion({ labId, name: 'mumbai', dir });
console.log(`up ${region.server}`);
setInterval(() => undefined, 60_000);
