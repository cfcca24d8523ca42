import type { ArgusError } from '../../domain/errors.ts';

/** What an object is: `flink.apache.org/v1beta1` and `FlinkDeployment`, `v1` and `Pod`. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One object; without `namespace`, that of the connection (objects of the whole cluster have none). */
export interface ObjectRef extends ObjectKind {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An object as the API server gives it. What a kind has beside its metadata is for the caller to check. */
export interface KubernetesObject extends ObjectKind {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    /** The object goes when its finalizers are through. */
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  readonly [field: string]: unknown;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of this call; default: the connection's. */
  readonly timeoutMs?: number | undefined;
}

export interface WriteOptions extends CallOptions {
  /** The server does everything but store it: what it answers is what would be. */
  readonly dryRun?: boolean | undefined;
}

export interface Selection {
  /** Absent: the connection's; `*`: all of them. */
  readonly namespace?: string | undefined;
  /** `app=argus-flink,component!=jobmanager` */
  readonly labels?: string | undefined;
  /** `metadata.name=argus-flink` */
  readonly fields?: string | undefined;
}

export interface DeleteOptions extends WriteOptions {
  /** How long a pod may take to end; 0: it is forgotten at once, whether or not its processes have ended. */
  readonly graceSeconds?: number | undefined;
  /** `foreground`: the object stays until what it owns is gone. Default: `background`. */
  readonly dependents?: 'foreground' | 'background' | 'orphan' | undefined;
  /** Only this very object, not one that has its name by now: else `KubernetesConflict`. */
  readonly uid?: string | undefined;
  /** Only in this state: else `KubernetesConflict`. */
  readonly resourceVersion?: string | undefined;
}

/**
 * What was seen. `synced`: everything that is there was reported. `lost`: the server can't be asked, what was reported
 * may be out of date; another `synced` follows when it can.
 */
export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: KubernetesObject }
  | { readonly type: 'synced' }
  | { readonly type: 'lost'; readonly error: ArgusError };

export interface WatchOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** A silent connection is given up after this and the deadline of a call; default 20 s. */
  readonly periodMs?: number;
}

/** What somebody wants to do, by RBAC's words. */
export interface AccessQuestion {
  /** `get`, `list`, `watch`, `create`, `patch`, `update`, `delete` … */
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** `flinkdeployments`, `pods` … */
  readonly resource: string;
  /** `log`, `status` … */
  readonly subresource?: string | undefined;
  /** Absent: in every namespace, or an object of the whole cluster. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface KubernetesEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** When it was seen last; 0 when the event doesn't tell. */
  readonly atMs: number;
}

/**
 * One region's Kubernetes API server. Every call ends within its deadline (10 s) or by the signal. Errors are
 * `ArgusError`:
 *
 * | code                        | when                                                                        |
 * | --------------------------- | --------------------------------------------------------------------------- |
 * | `KubernetesUnreachable`     | no answer, or none in time; retryable                                       |
 * | `KubernetesUntrusted`       | the server's certificate is not the one that is trusted                     |
 * | `KubernetesUnauthenticated` | the credentials are refused: expired or wrong                               |
 * | `KubernetesForbidden`       | RBAC doesn't allow it: verb, resource and namespace are named               |
 * | `KubernetesDenied`          | allowed, but a quota or an admission rule of the cluster is against it      |
 * | `KubernetesKindMissing`     | the cluster doesn't know the kind, or only in other versions, which it names |
 * | `KubernetesNamespaceMissing`| the namespace isn't there                                                   |
 * | `KubernetesObjectMissing`   | there is nothing to change                                                  |
 * | `KubernetesInvalid`         | the object breaks its kind's rules: the fields are named                    |
 * | `KubernetesConflict`        | it was changed meanwhile, or is another object by now                       |
 * | `KubernetesExists`          | `create` of a name that is taken                                            |
 * | `KubernetesRefused`         | any other answer                                                            |
 */
export interface KubernetesApi {
  readonly region: string;
  /** URL of the API server. */
  readonly server: string;
  /** Where objects without a namespace are: that of the context, else `default`. */
  readonly namespace: string;

  /** The server's version, `v1.36.3`. */
  version(options?: CallOptions): Promise<string>;
  /** Who the server takes us for. */
  user(options?: CallOptions): Promise<{ readonly name: string; readonly groups: readonly string[] }>;
  /** Whether the credentials allow something, by RBAC alone: a quota may still be against it. */
  may(question: AccessQuestion, options?: CallOptions): Promise<boolean>;

  /** Undefined: there is no such object. */
  get(ref: ObjectRef, options?: CallOptions): Promise<KubernetesObject | undefined>;
  list(kind: ObjectKind, selection?: Selection, options?: CallOptions): Promise<readonly KubernetesObject[]>;
  /** What is there, then every change, across expired positions, cut connections and a server that is asked too often. */
  watch(kind: ObjectKind, selection: Selection, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** Makes an object that must not be there yet. */
  create(object: KubernetesObject, options?: WriteOptions): Promise<KubernetesObject>;
  /**
   * Makes the fields that are given so, also where another manager holds them (server-side apply, manager `argus`); an
   * absent object is made. Fields that Argus applied before and no longer gives are taken away.
   */
  apply(object: KubernetesObject, options?: WriteOptions): Promise<KubernetesObject>;
  /** Changes the fields that are given; null takes one away (RFC 7386). A resourceVersion in the metadata must hold. */
  patch(ref: ObjectRef, change: Readonly<Record<string, unknown>>, options?: WriteOptions): Promise<KubernetesObject>;
  /** Asks for the object's end; that it is gone is observed by `get`. `absent`: there was none. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<'asked' | 'absent'>;

  /** What the cluster noted about an object, oldest first. */
  events(ref: ObjectRef & { readonly uid?: string }, options?: CallOptions): Promise<readonly KubernetesEvent[]>;
  /** The end of a container's output. */
  logs(
    pod: { readonly namespace?: string; readonly name: string; readonly container?: string },
    options?: CallOptions & {
      /** Default 200. */
      readonly lines?: number;
      /** Of the container's run before this one. */
      readonly previous?: boolean;
    },
  ): Promise<string>;

  /** Ends every connection. */
  close(): Promise<void>;
}
