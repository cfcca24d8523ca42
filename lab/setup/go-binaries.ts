import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFile } from '../entry.ts';
import type { Part, PartContext } from './part.ts';
import { runTool } from './tool.ts';

const hint =
  'see the lines above; when the downloads failed, check the network (and GOPROXY) and run the same command again: what was fetched is kept';
const stripped = ['-trimpath', '-ldflags=-s -w'];

/** versitygw, an S3 server over a folder, embedded in a program of ours. */
export const versitygwPart: Part = {
  name: 'versitygw',
  version: '1.8.0',
  sources: [sourceFile(import.meta.url, 'versitygw')],
  build: (target, context) =>
    go(['build', '-buildvcs=false', ...stripped, '-o', join(target, 'versitygw'), '.'], {}, context),
};

/** toxiproxy's server: the lab's network links. */
export const toxiproxyPart: Part = {
  name: 'toxiproxy',
  version: '2.5.0',
  sources: [],
  async build(target, context) {
    await installGoProgram('github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0', target, context);
    await rename(join(target, 'server'), join(target, 'toxiproxy'));
  },
};

/** Builds a program of a public module, `<path>@<version>`, into the folder. */
export function installGoProgram(program: string, target: string, context: PartContext): Promise<void> {
  return go(['install', ...stripped, program], { GOBIN: target }, context);
}

/** Runs go in versitygw's module, with the module and build caches that the user's other Go work has. */
async function go(args: readonly string[], env: NodeJS.ProcessEnv, context: PartContext): Promise<void> {
  let fetched = 0;
  await runTool(
    {
      command: 'go',
      args,
      cwd: sourceFile(import.meta.url, 'versitygw'),
      env: { CGO_ENABLED: '0', GOWORK: 'off', ...env },
      hint,
      progress: (line) => (line.startsWith('go: downloading') ? `${++fetched} modules fetched` : undefined),
    },
    context,
  );
}
