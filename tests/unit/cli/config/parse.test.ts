import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../../cli/config/parse.ts';
import { sampleWith, sampleYaml } from '../sample-config.ts';

function issuesOf(text: string) {
  try {
    parseConfig(text, 'argus.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map((i) => `${i.line}:${i.column}: ${i.message}`);
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('accepts the sample and fills the defaults in', () => {
    const config = parseConfig(sampleYaml, 'argus.yaml');
    expect(config.objectives).toEqual({ rto: 900_000, rpo: 60_000 });
    expect(config.daemon).toMatchObject({ host: '127.0.0.1', port: 9464 });
    expect(config.regions.mumbai?.objects.pathStyle).toBe(true);
    expect(config.checkpoints).toMatchObject({ parallelism: 32, retention: { keep: 10 } });
  });

  it('reads how fast checkpoints may be copied', () => {
    const of = (text: string) => parseConfig(`${sampleYaml}checkpoints: { ${text} }\n`, 'argus.yaml').checkpoints;
    expect(of('bandwidth: 50MB, parallelism: 4')).toMatchObject({ bandwidth: 50_000_000, parallelism: 4 });
    expect(issuesOf(`${sampleYaml}checkpoints: { bandwidth: 10KB, parallelism: 0 }\n`)).toEqual([
      '48:27: checkpoints.bandwidth: at least 64KiB a second',
      expect.stringContaining('checkpoints.parallelism'),
    ]);
  });

  const table: readonly [rule: string, text: string, expected: readonly string[]][] = [
    [
      'names a mistyped key where it stands, and the key that was meant, but not that as missing',
      sampleWith('      bootstrap: [127.0.1.1:19092]', '      bootstrapp: [127.0.1.1:19092]'),
      ['5:7: unknown key "bootstrapp" in regions.mumbai.kafka; did you mean "bootstrap"?'],
    ],
    ['names an unknown key at the top', `${sampleYaml}colour: red\n`, ['48:1: unknown key "colour"']],
    [
      'asks for the swapped letters of a top key',
      sampleWith('topics: [events]', 'topcis: [events]'),
      ['27:1: unknown key "topcis"; did you mean "topics"?'],
    ],
    [
      'takes an unknown key for no misspelling of one that is there',
      sampleWith('topics: [events]', 'topics: events\ntopicss: [events]'),
      ['27:9: topics: a list of names, or a mapping with include', '28:1: unknown key "topicss"'],
    ],
    [
      'finds an unknown key inside a list',
      sampleWith('    consumerGroup: counts', '    consumerGroup: counts\n    retries: 3'),
      ['33:5: unknown key "retries" in jobs[0]'],
    ],
    [
      'takes the topics that a job reads and writes',
      sampleWith('    consumerGroup: counts', '    consumerGroup: counts\n    reads: [events]\n    writes: [counts]'),
      [],
    ],
    [
      'refuses what no topic can be called',
      sampleWith('    consumerGroup: counts', '    consumerGroup: counts\n    writes: [counts/all]'),
      ['33:14: jobs[0].writes[0]: a topic name'],
    ],
    [
      'places a wrong value at the value',
      sampleWith('    address: 127.0.1.1', '    address: mumbai.example'),
      ['3:14: regions.mumbai.address: an IPv4 address'],
    ],
    [
      'places a wrong list item at the item',
      sampleWith('[127.0.1.1:19092]', '[127.0.1.1:19092, kafka]'),
      ['5:36: regions.mumbai.kafka.bootstrap[1]: host:port'],
    ],
    [
      'lets no password stand in a URL, and does not repeat it',
      sampleWith('rest: http://127.0.1.1', 'rest: http://ops:pa55word@127.0.1.1'),
      ['12:13: regions.mumbai.flink.rest: a URL without user and password: it is printed and logged'],
    ],
    [
      'says which type is needed',
      sampleWith('parallelism: 2', 'parallelism: two'),
      ['36:20: jobs[0].submit.parallelism: a number is needed here'],
    ],
    [
      'refuses a secret that is written into the file, without repeating it',
      sampleWith('env:MUMBAI_SECRET', 'hunter2hunter2'),
      ['10:24: regions.mumbai.objects.secretAccessKey: a reference: env:NAME or file:/path'],
    ],
    [
      'wants roles that are regions',
      sampleWith('  standby: singapore', '  standby: tokyo'),
      ['26:12: roles.standby: no region is called "tokyo"'],
    ],
    [
      'wants arguments for every region',
      sampleWith('        singapore: [--brokers, 127.0.2.1:9092]\n', ''),
      ['37:7: jobs[0].submit.args: no arguments for region "singapore"'],
    ],
    [
      'refuses a state that is neither a folder nor a bucket',
      sampleWith('state: file:./state', 'state: somewhere'),
      ['47:8: state: file:<folder>, or a mapping with an s3:// url'],
    ],
    [
      'looks into the mapping of a state in a bucket',
      sampleWith('state: file:./state', 'state:\n  url: s3://argus\n  endpoint: http://a\n  accessKeyId: env:A'),
      ['47:1: "secretAccessKey" is missing in state'],
    ],
    [
      'wants a fence for a guard in each region',
      `${sampleYaml}guard: { witness: file:./witness }\n`,
      [
        '4:5: regions.mumbai.kafka: a guard has nothing to shut with: kafka.fence (by: acl) is needed in each region',
        '15:5: regions.singapore.kafka: a guard has nothing to shut with: kafka.fence (by: acl) is needed in each region',
      ],
    ],
    [
      'wants a guard to shut out the jobs, too',
      `${sampleYaml.replaceAll(/^( +)bootstrap: .*$/gm, '$&\n$1fence: { producers: [{ principal: User:ingest }] }')}guard: { witness: file:./witness }\n`,
      [
        '6:7: regions.mumbai.kafka.fence: a guard must keep the jobs from writing, too: kafka.fence.jobs has to name their principals',
        '18:7: regions.singapore.kafka.fence: a guard must keep the jobs from writing, too: kafka.fence.jobs has to name their principals',
      ],
    ],
    [
      'tells all issues at once',
      'regions: {}\nnope: 1\n',
      [
        '1:1: "roles" is missing',
        '1:1: "topics" is missing',
        '1:1: "jobs" is missing',
        '1:1: "dns" is missing',
        '1:1: "state" is missing',
        '2:1: unknown key "nope"',
      ],
    ],
    ['refuses an empty file', '', ['1:1: the file is empty']],
    ['refuses a document that is no mapping', '- a\n', ['1:1: the document must be a mapping']],
  ];
  it.each(table)('%s', (_rule, text, expected) => {
    expect(issuesOf(text)).toEqual(expected);
  });

  it('accepts the example of docs/configuration.md, once the account is filled in', () => {
    const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    expect(parseConfig(example.replaceAll('<account>', 'acme'), 'argus.yaml').topics).toEqual(['events']);
  });

  it('names file, line and column of broken YAML, with a hint', () => {
    const text = sampleWith('topics: [events]', 'topics: [events');
    expect(() => parseConfig(text, 'conf/argus.yaml')).toThrow(/^conf\/argus\.yaml:\d+:\d+: not valid YAML: /);
    try {
      parseConfig(text, 'conf/argus.yaml');
    } catch (error) {
      expect(error).toMatchObject({ code: 'ConfigInvalid', exitCode: 2, hint: expect.stringContaining('indentation') });
    }
  });

  it('tells one slip in YAML once, where it begins', () => {
    expect(issuesOf(sampleWith('roles:', 'roles: ['))).toHaveLength(1);
  });

  it('refuses a key that is given twice', () => {
    expect(issuesOf(`${sampleYaml}state: file:./other\n`)[0]).toMatch(/^48:1: not valid YAML: Map keys must be unique/);
  });
});
