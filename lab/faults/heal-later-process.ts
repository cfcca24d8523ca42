// Heals a fault of a lab after a while: `node heal-later-process.ts <folder> <fault> <region> <seconds>`. It ends with the lab.
import { healLater } from './lab-faults.ts';

const [dir = '', name = '', region = '', seconds = '60'] = process.argv.slice(2);
await healLater(dir, name, region, Number(seconds));
