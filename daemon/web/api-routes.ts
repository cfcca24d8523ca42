import { z } from 'zod';
import { problemBody, problemSchema } from '../http/problem.ts';
import { type Answer, jsonType, type Route } from '../http/route.ts';
import type { Board, BoardFacts } from './board.ts';
import { keptJson } from './kept-answer.ts';
import { runViewSchema } from './run-view.ts';
import { decisionSchema, readinessSchema, type Standing, verdictSchema } from './standing.ts';
import { statusSchema } from './status-schema.ts';

const runsSchema = z.object({ runs: z.array(runViewSchema) });
const verdictsSchema = z.object({
  /** Null: nobody has judged yet. */
  verdicts: z.array(verdictSchema).nullable(),
  decision: decisionSchema.nullable(),
});

/** What is on the board, for programs. */
export function apiRoutes(board: Board): readonly Route[] {
  const status = keptJson<NonNullable<BoardFacts['status']>>((value) => value);
  const runs = keptJson<BoardFacts['runs']>((list) => ({ runs: list }));
  const verdicts = keptJson<Standing>((s) => ({ verdicts: s.verdicts ?? null, decision: s.decision ?? null }));
  const readiness = keptJson<NonNullable<Standing['readiness']>>((value) => value);
  const facts = () => {
    board.noteReader();
    return board.facts();
  };
  const read = { method: 'GET', access: 'read' } as const;
  return [
    {
      ...read,
      path: '/api/v1/status',
      summary: 'What `argus status --json` prints, as the daemon saw it some seconds ago (`atMs`)',
      answers: { 200: { description: 'The newest look', type: jsonType, schema: statusSchema }, 503: notYet },
      handle() {
        const value = facts().status;
        return value === undefined ? later : status(value);
      },
    },
    {
      ...read,
      path: '/api/v1/readiness',
      summary: 'What a failover would be like if the primary failed now',
      answers: { 200: { description: 'As it was judged last', type: jsonType, schema: readinessSchema }, 503: notYet },
      handle() {
        const value = facts().standing.readiness;
        return value === undefined ? later : readiness(value);
      },
    },
    {
      ...read,
      path: '/api/v1/verdicts',
      summary: 'What was judged of all that is seen, and what automatic mode makes of it (docs/verdicts.md)',
      answers: { 200: { description: 'Those in force, the gravest first', type: jsonType, schema: verdictsSchema } },
      handle: () => verdicts(facts().standing),
    },
    {
      ...read,
      path: '/api/v1/runs',
      summary: 'The newest runs and their steps, the newest first',
      answers: { 200: { description: 'Up to 20', type: jsonType, schema: runsSchema } },
      handle: () => runs(facts().runs),
    },
    {
      ...read,
      path: '/api/v1/runs/{run}',
      summary: 'One of them; older ones: `argus runs show`',
      answers: {
        200: { description: 'The run', type: jsonType, schema: runViewSchema },
        404: { description: 'It is not among the newest', type: jsonType, schema: problemSchema },
      },
      handle({ params }) {
        const run = facts().runs.find((r) => r.run === params.run);
        return run ? keptJson((value: object) => value)(run) : noRun;
      },
    },
  ];
}

const notYet = { description: 'Nothing is known yet', type: jsonType, schema: problemSchema };

const problem = (status: number, code: string, message: string, headers: Record<string, string> = {}): Answer => ({
  status,
  type: jsonType,
  body: problemBody({ status, code, message }),
  headers,
});
const later = problem(503, 'NotYet', 'nothing is known yet', { 'retry-after': '5' });
const noRun = problem(404, 'NoSuchRun', 'no such run is among the newest: `argus runs show` has all of them');
