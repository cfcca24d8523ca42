import { expect, test } from 'vitest';
import { disagreements } from '../../lab/demo/result.ts';
import { playScenario } from '../../lab/demo/scenario.ts';
import { automaticStatus, startAutomaticLab, untilWatched } from '../support/automatic-lab.ts';

// Longer than the flap of a link, and no longer than the time in which all has to be over allows.
const unreachableHoldDown = '22s';

test.each(['partition', 'freeze'] as const)('a primary that falls silent (%s) is left unattended', async (scenario) => {
  const lab = await startAutomaticLab({ unreachableHoldDown });
  const said: string[] = [];
  let outageAtMs = 0;
  const run = playScenario(lab, {
    scenario,
    unattended: true,
    rate: 200,
    warmupMs: 8_000,
    afterMs: 5_000,
    distanceMs: 30,
    async afterOutage() {
      outageAtMs = Date.now();
    },
    say: (line) => said.push(line),
  });
  try {
    await run.warmUp();
    await untilWatched(lab);
    await run.failOver().catch(async (error: unknown) => {
      const { standing, decisions } = await automaticStatus(lab);
      throw new Error(`${said.join('\n')}\n${JSON.stringify({ standing, decisions })}`, { cause: error });
    });
    const { decisions } = await automaticStatus(lab);
    const about = decisions.filter((d) => d.atMs > outageAtMs && d.verdict === 'PrimaryUnreachable').toReversed();
    expect(about[0]?.reasons.map((r) => r.code)).toEqual(['HoldDown']);
    expect((about[0]?.atMs ?? 0) - outageAtMs).toBeLessThanOrEqual(12_000);
    const acted = about.find((d) => d.kind === 'act');
    expect((acted?.atMs ?? 0) - outageAtMs).toBeGreaterThanOrEqual(20_000);
    const result = await run.account();
    console.log(`${scenario}: RTO ${result.rtoMs} ms, clients without answer for ${result.clientOutageMs} ms`);
    expect(disagreements(result), said.join('\n')).toEqual([]);
    expect(result.rtoMs).toBeLessThanOrEqual(60_000);
  } finally {
    await run.stop();
    await lab.down();
  }
});
