/** A complete configuration, in the order and form of docs/configuration.md; tests change single lines of it. */
export const sampleYaml = `regions:
  mumbai:
    address: 127.0.1.1
    kafka:
      bootstrap: [127.0.1.1:19092]
    objects:
      endpoint: http://127.0.1.1:9000
      bucket: argus-flink-checkpoints
      accessKeyId: env:MUMBAI_KEY
      secretAccessKey: env:MUMBAI_SECRET
    flink:
      rest: http://127.0.1.1:8081
  singapore:
    address: 127.0.2.1
    kafka:
      bootstrap: [127.0.2.1:19092]
    objects:
      endpoint: http://127.0.2.1:9000
      bucket: argus-flink-checkpoints-replica
      accessKeyId: env:SINGAPORE_KEY
      secretAccessKey: env:SINGAPORE_SECRET
    flink:
      rest: http://127.0.2.1:8081
roles:
  primary: mumbai
  standby: singapore
topics: [events]
jobs:
  - name: counts
    checkpoints:
      prefix: checkpoints
    consumerGroup: counts
    submit:
      jar: counts.jar
      entryClass: argus.lab.CountsJob
      parallelism: 2
      args:
        mumbai: [--brokers, 127.0.1.1:9092]
        singapore: [--brokers, 127.0.2.1:9092]
dns:
  cloudflare:
    zone: argus.test
    token: env:CLOUDFLARE_TOKEN
  records:
    - name: ingest.argus.test
  resolvers: [127.0.0.1:5353]
state: file:./state
`;

/** The sample with one text replaced; throws when it isn't there, so that a test can't silently change nothing. */
export function sampleWith(from: string, to: string): string {
  if (!sampleYaml.includes(from)) throw new Error(`the sample does not hold ${JSON.stringify(from)}`);
  return sampleYaml.replace(from, to);
}
