import { eventHub } from '../../daemon/events.ts';
import type { Route } from '../../daemon/http/route.ts';
import { serveDaemon } from '../../daemon/http/serve-daemon.ts';
import type { HttpSettings } from '../../daemon/http/server.ts';
import { supervise } from '../../daemon/supervise.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { apiRoutes } from '../../daemon/web/api-routes.ts';
import { type Board, newBoard } from '../../daemon/web/board.ts';
import { followRuns } from '../../daemon/web/follow-runs.ts';
import { pageRoutes } from '../../daemon/web/page-routes.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';

/** The daemon's pages over a board that a test fills, and over a journal that it writes. */
export interface PageWorld {
  readonly url: string;
  readonly board: Board;
  readonly state: ObjectStore;
  readonly routes: readonly Route[];
  readonly events: ReturnType<typeof eventHub>;
  close(): Promise<void>;
}

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
export const openAccess: HttpSettings['access'] = {
  readTokens: [],
  actTokens: [],
  clientCertificates: false,
  readableOnTheWay: false,
};

/** Serves the page as a daemon does, with nothing behind it. */
export async function startPages(
  options: { readonly access?: Partial<HttpSettings['access']>; readonly more?: readonly Route[] } = {},
): Promise<PageWorld> {
  const clock = wallClock;
  const board = newBoard(() => clock.monotonic());
  const state = memoryObjectStore('state');
  const events = eventHub();
  const page = pageRoutes({ board, clock, objectiveRpoMs: 60_000 });
  const services = [followRuns({ board, state, clock, periodMs: 200 }), ...page.services.map((make) => make(events))];
  const tasks = services.map(({ name, run }) => supervise(run, { name, clock, log }));
  const routes = [...page.routes, ...apiRoutes(board), ...(options.more ?? [])];
  const pages = {
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    health: () => ({ ok: true }),
    ready: () => true,
  };
  const settings = { access: { ...openAccess, ...options.access } };
  const served = await serveDaemon(pages, { host: '127.0.0.1', port: 0 }, { settings, routes });
  return {
    url: served.url,
    board,
    state,
    routes,
    events,
    async close() {
      await Promise.all(tasks.map((t) => t.stop()));
      await served.close();
    },
  };
}
