import { join } from 'node:path';
import { runToEnd } from '../../lab/components/process.ts';
import type { BenchBroker } from './broker.ts';
import type { Shape } from './shapes.ts';
import type { Stage } from './stage.ts';

/** Fills a new topic at the source, named as the shape, by Kafka's own ProducerPerformance (random letters as records). */
export async function produceSource(stage: Stage, source: BenchBroker, shape: Shape): Promise<void> {
  await source.createTopic(shape.id, shape.partitions);
  // Its flag for properties counts once only: all of them behind one.
  const properties = [
    `compression.type=${shape.compression}`,
    `batch.size=${shape.batchBytes}`,
    `linger.ms=${shape.transactions ? 1 : 100}`,
    'acks=all',
    'buffer.memory=134217728',
  ];
  await runToEnd(
    stage,
    {
      component: `produce/${shape.id}`,
      command: stage.artifacts.java,
      args: [
        '-Xmx512m',
        `-Dlog4j2.configurationFile=${join(stage.dir, source.name, 'log4j2.xml')}`,
        '-cp',
        `${stage.mirrorMakerLibs}/*`,
        'org.apache.kafka.tools.ProducerPerformance',
        '--bootstrap-server',
        source.address,
        '--topic',
        shape.id,
        '--num-records',
        String(shape.records),
        '--record-size',
        String(shape.recordBytes),
        '--throughput',
        String(shape.transactions?.recordsPerSecond ?? -1),
        ...(shape.transactions ? ['--transaction-duration-ms', String(shape.transactions.everyMs)] : []),
        '--command-property',
        ...properties,
      ],
    },
    { timeoutMs: 300_000, signal: stage.signal },
  );
}
