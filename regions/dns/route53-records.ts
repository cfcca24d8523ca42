import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
  Route53ServiceException,
} from '@aws-sdk/client-route-53';
import type { CallLimit } from '../../domain/call-budget.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { DnsRecord, DnsRecords } from './dns-records.ts';
import { type ProviderCall, providerCalls } from './provider-calls.ts';

export interface Route53Options {
  /** The hosted zone's name, e.g. `example.com`. */
  readonly zone: string;
  readonly hostedZoneId: string;
  /** Absent: what the SDK finds in the environment. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Another API root than AWS' own. */
  readonly endpoint?: string;
  /** For one call with all its repeats; 15 s when absent, and 45 s for a change, which waits for its turn among others. */
  readonly deadlineMs?: number;
}

/** Five calls a second an account. Source: Route 53, "Quotas: Maximums on Route 53 API requests". */
const limit: CallLimit = { calls: 5, windowMs: 1_000, reserve: 1 };
const changeDeadlineMs = 45_000;
/** From PENDING to INSYNC. Source: Route 53's API, "ChangeResourceRecordSets": generally within 60 seconds. */
const settlesMs = 60_000;

/**
 * One hosted zone's records through Route 53. Each value of a record set is a record of the port; an alias, and a set with
 * a routing policy of its own, are shown and refuse every change: which of them answers isn't told by their values. A
 * change is done when Route 53 has taken it (PENDING): that its name servers answer so is seen by asking them.
 */
export function route53Records(options: Route53Options): DnsRecords {
  const { zone, hostedZoneId, credentials, endpoint, deadlineMs } = options;
  const client = new Route53Client({
    region: 'us-east-1',
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const calling = (ms: number | undefined) =>
    providerCalls({
      label: `Route 53 (zone ${zone})`,
      limit,
      toError,
      retryAfterMs: () => undefined,
      ...(ms === undefined ? {} : { deadlineMs: ms }),
    });
  const looks = calling(deadlineMs);
  const changes = calling(deadlineMs ?? changeDeadlineMs);

  async function setsOf(name: string, type: string, io: ProviderCall): Promise<readonly ResourceRecordSet[]> {
    await io.spend();
    const page = await client.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: hostedZoneId,
        StartRecordName: name,
        StartRecordType: type as 'A',
        MaxItems: 100,
      }),
      { abortSignal: io.signal },
    );
    return (page.ResourceRecordSets ?? []).filter((set) => plain(set.Name) === name.toLowerCase() && set.Type === type);
  }

  return {
    settlesMs,
    find: (name, type, call = {}) =>
      looks.run(`find ${type} ${name}`, call, async (io) => (await setsOf(name, type, io)).flatMap(recordsOf)),
    setContent: (id, content, call = {}) =>
      changes.run(`set ${id} to ${content}`, call, async (io) => {
        const { name, type, value } = partsOf(id);
        const [set] = await setsOf(name, type, io);
        if (set === undefined) throw new ArgusError('DnsFailed', `${name} has no ${type} record any more`);
        const refusal = refusalOf(set);
        if (refusal !== undefined) throw new ArgusError('DnsFailed', refusal);
        const values = (set.ResourceRecords ?? []).map((r) => (r.Value === value ? content : (r.Value ?? '')));
        const next = { ...set, ResourceRecords: [...new Set(values)].map((Value) => ({ Value })) };
        await io.spend();
        await client.send(
          new ChangeResourceRecordSetsCommand({
            HostedZoneId: hostedZoneId,
            ChangeBatch: { Comment: 'argus', Changes: [{ Action: 'UPSERT', ResourceRecordSet: next }] },
          }),
          { abortSignal: io.signal },
        );
        return recordsOf(next).find((r) => r.content === content) as DnsRecord;
      }),
  };
}

function recordsOf(set: ResourceRecordSet): readonly DnsRecord[] {
  const name = plain(set.Name);
  const type = set.Type as DnsRecord['type'];
  const refusal = refusalOf(set);
  const values = (set.ResourceRecords ?? []).map((r) => r.Value ?? '');
  return (set.AliasTarget ? [`alias ${plain(set.AliasTarget.DNSName)}`] : values).map((content) => ({
    id: [name, type, content].join('|'),
    name,
    type,
    content,
    ttlSeconds: set.TTL ?? 60,
    proxied: false,
    ...(refusal === undefined ? {} : { refuses: [{ content: '*', why: refusal }] }),
  }));
}

function refusalOf({ Name, AliasTarget, SetIdentifier }: ResourceRecordSet): string | undefined {
  if (AliasTarget !== undefined) return `${plain(Name)} is an alias: it has no address of its own`;
  return SetIdentifier === undefined ? undefined : `${plain(Name)} has a routing policy (set ${SetIdentifier})`;
}

function partsOf(id: string): { readonly name: string; readonly type: string; readonly value: string } {
  const [name = '', type = '', value = ''] = id.split('|');
  return { name, type, value };
}

const plain = (name = '') => name.replace(/\.$/, '').replaceAll('\\052', '*').toLowerCase();

/** Codes of what passes. Source: Route 53's API, "Common errors". */
const passing = new Set(['Throttling', 'ThrottlingException', 'PriorRequestNotComplete', 'RequestTimeout']);

function toError(error: unknown, what: string): ArgusError {
  const name = error instanceof Error ? error.name : '';
  const status = error instanceof Route53ServiceException ? error.$metadata.httpStatusCode : undefined;
  const why = `${what}: ${[name, describeError(error)].filter((part) => part !== '' && part !== 'Error').join(': ')}`;
  if (passing.has(name) || (status !== undefined && status >= 500)) {
    return new ArgusError('DnsUnreachable', why, { cause: error, retryable: true });
  }
  if (status === 403 || name === 'CredentialsProviderError') {
    return new ArgusError('DnsDenied', why, {
      hint: 'the credentials of dns.route53 need the rights that docs/dns.md lists',
      cause: error,
      exitCode: 2,
    });
  }
  if (name === 'NoSuchHostedZone') {
    const hint = 'check dns.route53.hostedZoneId';
    return new ArgusError('DnsZoneMissing', why, { hint, cause: error, exitCode: 2 });
  }
  if (status === undefined) {
    const hint = "can this machine reach AWS' API?";
    return new ArgusError('DnsUnreachable', why, { hint, cause: error, retryable: true });
  }
  return new ArgusError('DnsFailed', why, { cause: error });
}
