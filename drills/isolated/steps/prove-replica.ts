import type { Json } from '../../../state/journal.ts';
import type { IsolatedStep } from '../context.ts';

/** Reads every byte of the chosen points, and what the jobs will read of the log. A damaged replica ends the drill here. */
export function proveReplica(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let looked: Json | undefined;
  return {
    id: 'prove-replica',
    ...words,
    waitsFor: 'the standby’s object store and Kafka',
    timeoutMs: 1_800_000,
    onFailure: { kind: 'stop', hint: '`argus checkpoints verify` and `argus mirror verify` tell what else differs' },
    async observe() {
      return { kind: 'todo' };
    },
    async act({ questions, findings }, { points = [] }, io) {
      const proof = await questions.prove(
        points.map(({ manifest }) => manifest),
        io,
      );
      findings.causes.push(...proof.causes);
      if (proof.mirrorNotCompared !== undefined) findings.mirrorNotCompared = proof.mirrorNotCompared;
      looked = proof.evidence;
    },
    async verify({ findings: { causes } }) {
      const [first] = causes;
      if (looked === undefined) return { kind: 'pending', waitingFor: 'the proof' };
      if (first === undefined) return { kind: 'done', evidence: looked };
      const more = causes.length > 1 ? ` (and ${causes.length - 1} more)` : '';
      return { kind: 'failed', error: { code: first.code, message: `${first.message}${more}` } };
    },
  };
}
