import { basicRoutes, type Pages } from './basic-routes.ts';
import type { Route } from './route.ts';
import { type HttpSettings, serveRoutes } from './server.ts';

/** What a daemon serves beside what all of them do. */
export interface HttpParts {
  readonly settings: HttpSettings;
  readonly routes: readonly Route[];
}

const openToAll: HttpSettings = {
  access: { readTokens: [], actTokens: [], clientCertificates: false, readableOnTheWay: false },
};

/** Serves the daemon's pages. Resolves when it listens; `ListenFailed` (exit code 2) when it can't. */
export function serveDaemon(
  pages: Pages,
  place: { readonly host: string; readonly port: number },
  parts: HttpParts = { settings: openToAll, routes: [] },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { settings, routes } = parts;
  const terse = settings.access.readTokens.length > 0;
  return serveRoutes([...basicRoutes(pages, { terse }), ...routes], {
    ...settings,
    host: place.host,
    port: place.port,
  });
}
