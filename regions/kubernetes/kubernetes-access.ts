/** Where a region's API server is, and how we prove who we are. */
export type KubernetesAccess =
  | {
      readonly kind: 'kubeconfig';
      /** The first file that has an entry wins, as with kubectl; those that are absent are passed over. */
      readonly files: readonly string[];
      /** Absent: the current context of the files. */
      readonly context?: string | undefined;
    }
  /** The service account of the pod that this process runs in. */
  | { readonly kind: 'in-cluster' }
  | {
      readonly kind: 'server';
      readonly url: string;
      /** Asked for again when the server refuses the one that it gave. */
      readonly token: () => Promise<string>;
      /** PEM; absent: the authorities that Node knows. */
      readonly ca?: string | undefined;
      /** The name that the server's certificate bears, where it isn't that of the URL. */
      readonly serverName?: string | undefined;
      readonly namespace?: string | undefined;
    };

/** The kubeconfig files of this environment: those of KUBECONFIG, else the one in the home folder. */
export function defaultKubeconfigFiles(env: NodeJS.ProcessEnv, home: string): readonly string[] {
  const named = (env.KUBECONFIG ?? '').split(':').filter((file) => file !== '');
  return named.length > 0 ? named : [`${home}/.kube/config`];
}

/** The access in a few words, without secrets. */
export function describeAccess(access: KubernetesAccess): string {
  switch (access.kind) {
    case 'kubeconfig':
      return `${access.context === undefined ? 'the current context' : `context ${access.context}`} of ${access.files.join(', ')}`;
    case 'in-cluster':
      return 'the service account of this pod';
    case 'server':
      return `the token for ${access.url}`;
  }
}
