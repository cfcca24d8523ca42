import { test } from 'vitest';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';

const missing = clusterPrerequisites();
if (missing.length > 0) process.stderr.write(`skipped, regions with pods need ${missing.join('; ')}\n`);

/** `test` where this machine can have regions with pods; elsewhere it is skipped, and stderr says what is missing. */
export const clusterTest = test.skipIf(missing.length > 0);
