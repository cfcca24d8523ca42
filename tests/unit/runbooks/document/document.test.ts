import { describe, expect, test } from 'vitest';
import { stepsOfRunbooks } from '../../../../cli/steps-of-runbooks.ts';
import { type DocumentView, runbookDocument } from '../../../../runbooks/document/document.ts';
import { renderMarkdown } from '../../../../runbooks/document/markdown.ts';
import { runbookWords } from '../../../../runbooks/document/words.ts';
import { prepareFailover } from '../../../../runbooks/failover/run-failover.ts';
import { failoverSteps } from '../../../../runbooks/failover/steps.ts';
import { failOver, started } from '../failover/fail-over.ts';
import { config } from '../failover/world.ts';

test('of every step of every runbook it is said what is observed', async () => {
  for (const [runbook, ids] of Object.entries(await stepsOfRunbooks())) {
    const { observes } = runbookWords[runbook as keyof typeof runbookWords];
    expect(
      ids.filter((id) => !observes[id]),
      runbook,
    ).toEqual([]);
  }
});

async function view(over: Partial<DocumentView> = {}): Promise<DocumentView> {
  const world = await started({ acceptUnfenced: false });
  const plan = await prepareFailover(world.context, { atMs: world.clock.now(), source: 'run-start' });
  return {
    runbook: 'failover',
    config: { ...config, contacts: [{ name: 'Asha', role: 'on call', reach: '+91 20 | 5550' }] },
    madeAtMs: world.clock.now(),
    from: plan.from,
    to: plan.to,
    plan,
    steps: failoverSteps(plan, 0),
    hooks: [],
    usualTimes: new Map(),
    now: ['the primary is mumbai'],
    unknown: ['jobs on mumbai'],
    ...over,
  };
}

describe('the document of a failover', () => {
  test('has the steps of the plan with what a person types, and where there is no way back', async () => {
    const given = await view();
    const doc = runbookDocument(given);
    expect(doc.steps.map((s) => [s.id, s.title, s.manual])).toEqual(given.steps.map((s) => [s.id, s.title, s.manual]));
    expect(doc.pointOfNoReturn).toBe('start-jobs');
    for (const step of doc.steps) expect(step.timeoutMs, step.id).toBeGreaterThan(0);
  });

  test('marks the refusals that hold now, those that it did not foresee as well', async () => {
    const given = await view();
    const odd = { code: 'Odd', message: 'something odd', hint: 'look' };
    const doc = runbookDocument({ ...given, plan: { ...given.plan, blockers: [...given.plan.blockers, odd] } });
    const now = doc.refusals.filter((r) => r.now !== undefined);
    expect(now.map((r) => r.code)).toEqual(['PrimaryUnfenced', 'Odd']);
    expect(now.at(-1)).toMatchObject({ next: 'look', now: 'something odd' });
  });

  test('tells how long the steps took, and which are done', async () => {
    const world = await started();
    await failOver(world);
    const plan = await prepareFailover(world.context, { atMs: 1, source: 'run-start' });
    const doc = runbookDocument(await view({ plan, steps: failoverSteps(plan, 0) }));
    expect(doc.steps.find((s) => s.id === 'flip-names')).toMatchObject({ state: 'done', usual: { runs: 1 } });
  });

  test('is Markdown with every value in it', async () => {
    const hook = {
      name: 'page',
      step: 'freeze-mirror',
      when: 'before' as const,
      required: false,
      timeoutMs: 1,
      manual: 'curl -fX POST https://chat.example/hook',
      call: () => Promise.reject(new Error()),
    };
    const text = renderMarkdown(runbookDocument(await view({ hooks: [hook] })));
    for (const line of [
      '# Failover: mumbai → singapore',
      '| Asha | on call | +91 20 \\| 5550 |',
      '- Objectives: RTO 15 min, RPO 60 s',
      '- **Unknown:** jobs on mumbai',
      '> **Point of no return.** From here on nothing is taken back.',
      '- Calls `page` before it: `curl -fX POST https://chat.example/hook`',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text.indexOf('Point of no return')).toBeLessThan(
      text.indexOf(
        '### 10. Start counts'.replace('10', String(1 + (await view()).steps.findIndex((s) => s.id === 'start-jobs'))),
      ),
    );
    expect(text.match(/```/g)?.length ?? 1).toSatisfy((n: number) => n % 2 === 0);
  });
});
