import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runTool, type ToolContext } from './tool.ts';

/** What a container image is made of. */
export interface ImageSpec {
  /** `localhost/busybox:1`; several name the same image. */
  readonly names: readonly string[];
  /** The folder that is its whole file system. */
  readonly root: string;
  readonly entrypoint?: readonly string[];
  /** `NAME=value`, beside a PATH. */
  readonly env?: readonly string[];
  readonly workingDir?: string;
  /** `9999:9999`; default: root. */
  readonly user?: string;
}

const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
const hint = 'GNU tar is needed, and room on the disk';

/** Writes an image of one layer as an archive that `ctr images import` and `docker load` take (Docker image spec v1.2). */
export async function packImage(image: ImageSpec, archive: string, context: ToolContext = {}): Promise<void> {
  await mkdir(dirname(archive), { recursive: true });
  const work = await mkdtemp(`${archive}.`);
  try {
    const layer = join(work, 'layer.tar');
    await runTool({ command: 'tar', args: ['-c', '-f', layer, ...reproducible, '-C', image.root, '.'], hint }, context);
    const layerHash = await sha256(layer);
    const config = JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(image.env ?? [])],
        ...(image.entrypoint && { Entrypoint: image.entrypoint }),
        ...(image.workingDir && { WorkingDir: image.workingDir }),
        ...(image.user && { User: image.user }),
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layerHash}`] },
      history: [{ created_by: 'argus lab' }],
    });
    const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
    await writeFile(join(work, configName), config);
    const manifest = [{ Config: configName, RepoTags: image.names, Layers: ['layer.tar'] }];
    await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
    const whole = join(work, 'image.tar');
    const files = ['manifest.json', configName, 'layer.tar'];
    await runTool({ command: 'tar', args: ['-c', '-f', whole, ...reproducible, '-C', work, ...files], hint }, context);
    await rename(whole, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
