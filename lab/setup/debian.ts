import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import { candidates, unpack } from './debian-packages.ts';
import { ensureExtraPart } from './extra-part.ts';
import { packImage } from './image-archive.ts';
import type { Part, PartContext, SetupEvent } from './part.ts';
import { runTool } from './tool.ts';

/** What a node with pods is made of beside Kubernetes, and an image to run in it. */
export interface NodeTools {
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  readonly nft: string;
  /** Folder of the network plugins. */
  readonly networkPlugins: string;
  /** For PATH and LD_LIBRARY_PATH of whatever runs one of these. */
  readonly binFolders: readonly string[];
  readonly libraryFolders: readonly string[];
  /** Archive of the image `localhost/busybox:1`, which is also `localhost/pause:1`. */
  readonly busyboxImage: string;
}

/** With the libraries that a small system may lack; libc is the system's. */
const packages = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'nftables',
  'libnftables1',
  'libnftnl11',
  'libmnl0',
  'libxtables12',
  'libjansson4',
  'libgmp10',
  'libedit2',
  'libbsd0',
  'libmd0',
  'libtinfo6',
  'libseccomp2',
];
/** The image that every node has; with its libc, without which a static one looks up no names. */
const imagePackages = ['busybox', 'libc6'];
const hint =
  "containerd, runc and nftables come from Debian's packages, unpacked and not installed: `apt-get update`, then again";
// Goes up when what `build` makes of the packages changes.
const layout = 1;

/** The node's tools in the lab's cache, fetched through apt when they are missing; nothing is installed. */
export async function ensureNodeTools(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void = () => undefined,
): Promise<NodeTools> {
  const folder = await ensureExtraPart(
    debianPart(await candidates([...packages, ...imagePackages], hint, { signal })),
    signal,
    progress,
  );
  const root = join(folder, 'root');
  const libraryFolders = [join(root, 'usr/lib'), join(root, 'lib')]
    .flatMap((lib) => readdirSync(lib).map((name) => join(lib, name)))
    .filter((path) => path.endsWith('-linux-gnu'));
  return {
    containerd: join(root, 'usr/bin/containerd'),
    ctr: join(root, 'usr/bin/ctr'),
    runc: join(root, 'usr/sbin/runc'),
    nft: join(root, 'usr/sbin/nft'),
    networkPlugins: join(root, 'usr/lib/cni'),
    binFolders: [join(root, 'usr/bin'), join(root, 'usr/sbin')],
    libraryFolders,
    busyboxImage: join(folder, 'busybox.tar'),
  };
}

function debianPart(files: readonly string[]): Part {
  const hash = createHash('sha256')
    .update(`${layout} ${files.join(' ')}`)
    .digest('hex')
    .slice(0, 8);
  const containerd = /^containerd_([0-9.]+)/m.exec(files.join('\n'))?.[1];
  if (containerd === undefined) throw new ArgusError('SetupFailed', 'apt knows no package containerd', { hint });
  return { name: 'node-tools', version: `containerd-${containerd}-${hash}`, sources: [], build };
}

async function build(target: string, context: PartContext): Promise<void> {
  context.detail?.(`${packages.length + imagePackages.length} packages of Debian`);
  await unpack(packages, join(target, 'root'), hint, context);
  const image = join(target, 'busybox');
  await unpack(imagePackages, image, hint, context);
  await packBusybox(image, join(target, 'busybox.tar'), context);
  await rm(image, { recursive: true });
}

/** An image with a shell and the small tools of one; what of the libraries serves character sets is left out. */
async function packBusybox(root: string, archive: string, context: PartContext): Promise<void> {
  for (const lib of await readdir(join(root, 'usr/lib'))) {
    await rm(join(root, 'usr/lib', lib, 'gconv'), { recursive: true, force: true });
  }
  await rm(join(root, 'usr/share'), { recursive: true });
  for (const folder of ['tmp', 'etc']) await mkdir(join(root, folder), { recursive: true });
  const applets = await runTool({ command: join(root, 'bin/busybox'), args: ['--list'], hint }, context);
  for (const applet of applets.split('\n')) {
    if (applet !== '' && applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
  }
  const names = ['localhost/busybox:1', 'localhost/pause:1'];
  await packImage({ names, root, entrypoint: ['/bin/busybox', 'sleep', '2147483647'] }, archive, context);
}
