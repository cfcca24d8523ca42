import { z } from 'zod';
import { secretRef, serviceUrl } from './config-values.ts';

/** Keys of each way to reach an API server; the first one of a way chooses it. */
const ways = {
  kubeconfig: ['kubeconfig', 'context'],
  inCluster: ['inCluster'],
  server: ['server', 'token', 'ca', 'serverName', 'namespace'],
} as const;

/** `regions.<name>.kubernetes`: the region's API server, in one of three ways; an empty mapping is kubectl's default. */
export const kubernetesSection = z
  .strictObject({
    /** File; default: those of KUBECONFIG, else `~/.kube/config`. */
    kubeconfig: z.string().min(1).optional(),
    /** Default: the file's current context. */
    context: z.string().min(1).optional(),
    /** The service account of the pod that Argus runs in. */
    inCluster: z.literal(true).optional(),
    /** URL of the API server. */
    server: serviceUrl.refine((url) => url.startsWith('https:'), 'an https URL: the token is sent to it').optional(),
    token: secretRef.optional(),
    /** File with the authority that signed the server's certificate, PEM; default: the well-known ones. */
    ca: z.string().min(1).optional(),
    /** The name that the server's certificate bears, where it isn't that of the URL. */
    serverName: z.string().min(1).optional(),
    /** Where objects without a namespace are; default: `default`. */
    namespace: z.string().min(1).optional(),
  })
  .superRefine((section, ctx) => {
    const wrong = (key: string, message: string) => ctx.addIssue({ code: 'custom', path: [key], message });
    const chosen = Object.entries(ways).filter(([, keys]) => keys.some((key) => section[key] !== undefined));
    const [first, second] = chosen.map(([, keys]) => keys.find((key) => section[key] !== undefined));
    if (second !== undefined) {
      wrong(second, `${first} and ${second} are two ways: a kubeconfig, inCluster, or server with token`);
    } else if (chosen[0]?.[0] === 'server') {
      if (section.server === undefined) wrong(first ?? 'server', `${first} needs server`);
      else if (section.token === undefined) wrong('server', 'server needs token');
    }
  });

export type KubernetesSection = z.output<typeof kubernetesSection>;
