import type { Clock } from '../../domain/clock.ts';
import type { EventHub } from '../events.ts';
import { problemBody, problemSchema } from '../http/problem.ts';
import { type Answer, jsonType, type Route } from '../http/route.ts';
import type { Service } from '../service.ts';
import type { Board, BoardFacts } from './board.ts';
import { keptAnswer } from './kept-answer.ts';
import { pageSections, renderPage } from './page.ts';
import { pageScript } from './script.ts';
import { eventStream, eventText } from './stream.ts';
import { styleSheet } from './style.ts';

export interface PageRoutesParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly objectiveRpoMs: number;
  /** Listeners of both streams together. */
  readonly listeners?: number;
}

export interface PageRoutes {
  readonly routes: readonly Route[];
  /** What sends on what changes. */
  readonly services: readonly ((events: EventHub) => Service)[];
}

/** Changes that come within this time are sent together. */
const togetherMs = 250;
const htmlType = 'text/html; charset=utf-8';

/** The page, what it is made of, and the stream of what changes. */
export function pageRoutes({ board, clock, objectiveRpoMs, listeners = 1_500 }: PageRoutesParts): PageRoutes {
  const options = () => ({ nowMs: clock.now(), objectiveRpoMs });
  const page = keptAnswer<BoardFacts>(htmlType, (facts) => renderPage(facts, options()));
  const asset = (type: string, text: string) => keptAnswer<object>(type, () => text)({});
  const forPages = eventStream('events of the page', clock, listeners);
  const forPrograms = eventStream('events of the API', clock, listeners);

  const sectionText = (id: string, html: string) => eventText('section', { id, html, nowMs: clock.now() });
  const sections = () => Object.entries(pageSections(board.facts(), options()));
  const jsonParts = (facts: BoardFacts): readonly (readonly [string, unknown])[] => [
    ...(facts.status ? [['status', facts.status] as const] : []),
    ['standing', facts.standing],
    ['runs', facts.runs],
  ];

  function sendChanges(): () => void {
    const sent = new Map<string, string>();
    const told = new Map<string, unknown>();
    return () => {
      if (forPages.listeners > 0) {
        for (const [id, html] of sections()) {
          if (sent.get(id) !== html) forPages.send(sectionText(id, html));
          sent.set(id, html);
        }
      } else sent.clear();
      for (const [name, value] of jsonParts(board.facts())) {
        if (forPrograms.listeners > 0 && told.get(name) !== value) forPrograms.send(eventText(name, value));
        told.set(name, value);
      }
    };
  }

  return {
    routes: [
      {
        method: 'GET',
        path: '/',
        access: 'read',
        summary: 'The status page',
        answers: { 200: { description: 'For people', type: htmlType } },
        handle() {
          board.noteReader();
          return page(board.facts());
        },
      },
      assetRoute('/page.css', 'The style of the status page', asset('text/css; charset=utf-8', styleSheet)),
      assetRoute('/page.js', 'The script of the status page', asset('text/javascript; charset=utf-8', pageScript)),
      {
        method: 'GET',
        path: '/api/v1/events',
        access: 'read',
        summary: 'What changes, as server-sent events: `status`, `standing`, `runs`, and what happens as `event`',
        query: { page: "With any value: the page's parts as HTML instead (`section`)" },
        answers: {
          200: { description: 'First how things are, then each change', type: 'text/event-stream' },
          503: { description: 'There are too many listeners', type: jsonType, schema: problemSchema },
        },
        handle({ query }) {
          board.noteReader();
          const answer = query.page
            ? forPages.open(() =>
                sections()
                  .map(([id, html]) => sectionText(id, html))
                  .join(''),
              )
            : forPrograms.open(() =>
                jsonParts(board.facts())
                  .map(([name, value]) => eventText(name, value))
                  .join(''),
              );
          return answer ?? tooMany;
        },
      },
    ],
    services: [() => forPages.service, () => forPrograms.service, changesService],
  };

  function changesService(events: EventHub): Service {
    return {
      name: 'changes for the page',
      async run(signal) {
        const send = sendChanges();
        let changed = Promise.withResolvers<void>();
        const stop = [
          board.onChange(() => changed.resolve()),
          events.subscribe(({ event }) => forPrograms.send(eventText('event', event))),
        ];
        const aborted = () => changed.resolve();
        signal.addEventListener('abort', aborted, { once: true });
        try {
          while (!signal.aborted) {
            await changed.promise;
            await clock.sleep(togetherMs, signal).catch(() => undefined);
            changed = Promise.withResolvers<void>();
            // While somebody listens, he reads.
            if (forPages.listeners + forPrograms.listeners > 0) board.noteReader();
            if (!signal.aborted) send();
          }
        } finally {
          for (const end of stop) end();
          signal.removeEventListener('abort', aborted);
        }
      },
    };
  }
}

const tooMany: Answer = {
  status: 503,
  type: jsonType,
  body: problemBody({ status: 503, code: 'TooManyListeners', message: 'ask /api/v1/status now and then instead' }),
  headers: { 'retry-after': '30' },
};

function assetRoute(path: string, summary: string, answer: Answer): Route {
  const type = 'status' in answer ? answer.type : '';
  return {
    method: 'GET',
    path,
    access: 'read',
    summary,
    answers: { 200: { description: 'Of the page', type } },
    handle: () => answer,
  };
}
