import type { Clock } from '../domain/clock.ts';
import type { EndToEndSettings } from '../domain/end-to-end-config.ts';
import { ArgusError } from '../domain/errors.ts';
import { probe } from '../health/probe.ts';
import { type ProbeTask, type Sight, sightOf } from '../health/sight.ts';
import type { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import { awaitRecord, topicEnds } from '../replication/topics/await-record.ts';
import type { DaemonView } from './service.ts';

export interface EndToEndParts {
  readonly settings: EndToEndSettings;
  readonly view: DaemonView;
  readonly clock: Clock;
  /** Connections to a region's Kafka that nobody else uses: one for each leg, since each knows one topic's leaders. */
  readonly kafka: (region: string, leg: string) => KafkaCluster;
  /** Tells these events from those of another daemon, and of another start. */
  readonly prefix: string;
}

/** What the event has reached, in this order; each is measured from the moment it was sent. */
const legs = ['ingress', 'primary', 'standby', 'output'] as const;
type Leg = (typeof legs)[number];

const orMissing = (text: string): ArgusError => new ArgusError('HeartbeatLate', text, { heard: true });

/**
 * Sends an event of Argus' own through the primary's ingress, and looks for it where it should come to: in the primary's
 * Kafka, in the standby's, and behind the job. Gives a sight of `heartbeat` for each leg, whose latency is the lag from
 * the first moment on. Only the daemon that replicates does it.
 */
export function endToEndTask({ settings, view, clock, kafka, prefix }: EndToEndParts): ProbeTask {
  const { input, output, deadline: deadlineMs } = settings;
  let sequence = 0;
  return {
    name: 'end to end',
    periodMs: settings.every,
    async look({ signal }) {
      const order = view.order();
      const url = order?.kind === 'run' ? settings.ingress[order.source] : undefined;
      if (!view.leads() || order?.kind !== 'run' || url === undefined) return [];
      sequence += 1;
      const values = { id: `${prefix}-${sequence}`, sequence: `${sequence}`, atMs: `${clock.now()}` };
      const places: readonly (readonly [Leg, string, string, string])[] = [
        ['primary', order.source, input, values.id],
        ['standby', order.target, input, values.id],
        ...(output === undefined
          ? []
          : [['output', order.source, output, filled(settings.outputHolds, values)] as const]),
      ];
      const options = { clock, deadlineMs, signal };
      // Where each log ends before it is sent: what is looked for comes behind that.
      const before = await Promise.all(
        places.map(([leg, region, topic]) =>
          probe((call) => topicEnds(kafka(region, leg), topic, call.signal), options),
        ),
      );
      const post = probe((call) => send(url, settings, values, call.signal), options);
      const found = places.map(([leg, region, topic, text], i) =>
        probe(async (call) => {
          const ends = before[i]?.value;
          if (!ends) throw new ArgusError('KafkaUnreachable', before[i]?.reason ?? `${region} does not answer`);
          const within = AbortSignal.any([call.signal, AbortSignal.timeout(deadlineMs - 100)]);
          await awaitRecord(kafka(region, leg), topic, ends, text, within).catch((error: unknown) => {
            if (signal.aborted || !within.aborted) throw error;
            throw orMissing(`the event did not come to ${topic} in ${region} within ${deadlineMs / 1_000} s (${leg})`);
          });
        }, options),
      );
      const seen = await Promise.all([post, ...found]);
      // What never got in can't come out: the first leg says it.
      const reached = seen[0]?.status === 'ok' ? seen : seen.slice(0, 1);
      return reached.map(
        (s, i): Sight => sightOf({ probe: 'heartbeat', region: order.target, subject: legs[i] ?? 'output' }, s),
      );
    },
  };
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(id|sequence|atMs)\}/g, (_, name: string) => values[name] ?? '');
}

async function send(
  url: string,
  { body, headers }: EndToEndSettings,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const request = { method: 'POST', headers, body: filled(body, values), redirect: 'manual', signal } as const;
  const answer = await fetch(url, request);
  const text = (await answer.text()).slice(0, 200);
  if (!answer.ok) throw new ArgusError('IngressRefused', `${url} answered ${answer.status}: ${text}`);
}
