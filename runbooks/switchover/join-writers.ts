import type { Config } from '../../domain/config.ts';
import { aclKey } from '../../regions/kafka/kafka-acls.ts';
import type { FencedKind } from '../../regions/kafka/kafka-fence.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import { allowWrites, denyRules } from '../../replication/topics/deny-writes.ts';
import { decideFence } from '../fencing/decide-fence.ts';
import { fencedTopics, ofKinds } from '../fencing/fence-rules.ts';
import {
  allowKafkaWrites,
  denyKafkaWrites,
  type FenceTarget,
  lookAtFence,
  usableFence,
} from '../fencing/kafka-fencing.ts';
import type { SwitchoverContext, Writers, WritersSeen } from './context.ts';

export interface JoinWritersParts {
  readonly config: Config;
  readonly primary: Region;
  readonly state: ObjectStore;
  /** The run's name, for the state. */
  readonly by: string;
  readonly now: () => number;
}

const kindOf: Readonly<Record<Writers, FencedKind>> = { producers: 'producer', jobs: 'job' };

/** A switchover's questions and orders about who may write, answered by the regions' fences. */
export function joinWriters(
  parts: JoinWritersParts,
): Pick<SwitchoverContext, 'lookAtWriters' | 'denyWriters' | 'allowWriters' | 'allowMirror' | 'lookAtMirror'> {
  const { config, state } = parts;
  const region = parts.primary;
  const target: FenceTarget = { region, state, topics: fencedTopics(config, region.fence?.settings) };
  const author = () => ({ by: parts.by, atMs: parts.now() });
  return {
    lookAtWriters: (who, signal) => lookAt(target, who, signal),
    async denyWriters(who, io) {
      await denyKafkaWrites(target, [kindOf[who]], author(), io);
    },
    async allowWriters(who, io) {
      await allowKafkaWrites(target, [kindOf[who]], author(), io);
    },
    async allowMirror(signal) {
      const principal = sealedPrincipal(config);
      if (principal !== undefined) await allowWrites(parts.primary, principal, config.topics, signal);
    },
    async lookAtMirror(signal) {
      const principal = sealedPrincipal(config);
      if (principal === undefined)
        return { kind: 'no-means', why: 'mirror.principal and mirror.denyWrite are not set' };
      const { kafka, name } = parts.primary;
      const there = await kafka.listAcls({ resourceType: 'topic', permission: 'DENY', operation: 'WRITE' }, { signal });
      if (there === undefined) return { kind: 'no-means', why: `${name}'s brokers have no authorizer` };
      const known = new Set(there.map(aclKey));
      const left = denyRules(principal, config.topics).filter((rule) => known.has(aclKey(rule)));
      if (left.length === 0) return { kind: 'open', where: `${principal} on ${name}` };
      return { kind: 'denied', proven: false, evidence: { principal, rules: left.length } };
    },
  };
}

/** Whose WRITE a promotion takes away; undefined: nobody's, by configuration. */
const sealedPrincipal = ({ mirror }: Config) => (mirror.denyWrite ? mirror.principal : undefined);

async function lookAt(target: FenceTarget, who: Writers, signal: AbortSignal): Promise<WritersSeen> {
  const { region } = target;
  const fence = usableFence(target);
  if ('none' in fence) return { kind: 'no-means', why: fence.none };
  const kinds = [kindOf[who]];
  const named = ofKinds(fence.settings, kinds);
  if (named.length === 0) return { kind: 'no-means', why: `regions.${region.name}.kafka.fence names no ${who}` };
  if ((await region.kafka.listAcls({ permission: 'DENY' }, { signal })) === undefined) {
    return { kind: 'no-means', why: `${region.name}'s brokers have no authorizer` };
  }
  const verdict = decideFence(await lookAtFence(target, fence, kinds, signal));
  const principals = named.map((p) => p.principal);
  if (verdict.kind === 'open') {
    return { kind: 'open', where: verdict.why.join('; ') };
  }
  const unproven = verdict.kind === 'partial' ? verdict.why : [];
  return { kind: 'denied', proven: verdict.kind === 'proven', evidence: { principals, unproven: [...unproven] } };
}
