import { type DemoResult, disagreements } from './result.ts';

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const count = (n: number) => n.toLocaleString('en-US');

/** A bar chart of the steps' times, for a terminal: one line a step, the longest fills `width`. */
function bars(steps: DemoResult['steps'], width: number): readonly string[] {
  const longest = Math.max(1, ...steps.map((s) => s.ms));
  const label = Math.max(...steps.map((s) => s.id.length));
  return steps.map(
    (s) =>
      `  ${s.id.padEnd(label)} ${seconds(s.ms).padStart(8)} ${'█'.repeat(Math.max(1, Math.round((s.ms / longest) * width)))}`,
  );
}

/** The demo's last page. Pure: the same result gives the same text. */
export function renderSummary(result: DemoResult, width = 40): string {
  const { audit } = result;
  const wrong = disagreements(result);
  const topics = Object.entries(result.rpo.topics).map(
    ([name, t]) =>
      `  RPO ${name.padEnd(12)} ${count(t.counted)} records counted (${count(t.estimated)} estimated in the dark), ${seconds(t.ms)}`,
  );
  return [
    '',
    `  Failover after "${result.scenario}" at ${count(result.rate)} events/s${result.standby ? `, ${result.standby} standby` : ''}`,
    '',
    `  RTO              ${seconds(result.rtoMs)}   from the outage to a checkpoint of the standby's job, name flipped`,
    `  client outage    ${seconds(result.clientOutageMs)}   in which no event was acknowledged`,
    ...topics,
    `  replayed         ${count(result.replayedRecords)} records processed again from the recovery point`,
    '',
    ...(result.steps.length > 0 ? bars(result.steps, width) : []),
    '',
    '  The auditor, who shares no code with Argus, read both logs:',
    `    ${count(audit.acknowledged)} events acknowledged to the client, ${count(audit.onStandby)} records on the standby`,
    `    ${count(audit.orphans)} only in the old primary's log: ${count(audit.lost)} acknowledged, ${count(audit.lostUnknown)} never answered`,
    `    ${count(audit.duplicated)} doubled, ${count(audit.misordered)} out of order, ${count(audit.flink.wrongCounts)} of ${count(audit.flink.keys)} keys counted wrongly by the job`,
    '',
    wrong.length === 0 ? '  ✔ Argus and the auditor agree to the record.' : wrong.map((w) => `  ✘ ${w}`).join('\n'),
    '',
  ].join('\n');
}

/** The same disaster with several kinds of standby, a line for each. Pure. */
export function renderStandbys(results: readonly DemoResult[]): string {
  const row = (cells: readonly string[]): string => `  ${cells.map((cell) => cell.padEnd(16)).join('')}`.trimEnd();
  const rows = results.map(({ standby = '', rtoMs, clientOutageMs, steps }) => {
    const waited = steps.find(({ id }) => id === 'await-checkpoint')?.ms ?? 0;
    return row([standby, seconds(rtoMs), seconds(waited), seconds(clientOutageMs)]);
  });
  return [row(['standby', 'RTO', 'job recovers', 'client outage']), ...rows, ''].join('\n');
}
