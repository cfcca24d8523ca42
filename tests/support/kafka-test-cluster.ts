import { startTestBroker, type TestBroker } from './kafka-broker.ts';

/** Several brokers in one cluster; the first is its controller and must stay. */
export interface TestCluster {
  readonly brokers: readonly [TestBroker, ...TestBroker[]];
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/** Node ids count from 1. A broker that dies has its leaders elsewhere after two seconds. */
export async function startTestCluster(size: number): Promise<TestCluster> {
  const prompt = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '300' };
  const first = await startTestBroker(prompt);
  const { clusterId, controllerPort } = first;
  const others = await Promise.all(
    Array.from({ length: size - 1 }, (_, i) =>
      startTestBroker(prompt, { joins: { nodeId: i + 2, clusterId, controllerPort } }),
    ),
  );
  const brokers = [first, ...others] as const;
  return {
    brokers,
    addresses: brokers.map((b) => b.address),
    stop: async () => {
      await Promise.all(others.map((b) => b.stop()));
      await first.stop();
    },
  };
}
