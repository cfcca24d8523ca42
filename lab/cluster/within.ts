/**
 * The command that runs another one within a node's namespaces of network and mounts, which the process `holderPid`
 * holds; not `ip netns exec`, which hides the cgroups.
 */
export function within(holderPid: number, command: string, args: readonly string[]): readonly string[] {
  return ['nsenter', `--target=${holderPid}`, '--net', '--mount', '--', command, ...args];
}
