import type { HttpParts } from '../../daemon/http/serve-daemon.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { httpSettings } from './http-settings.ts';

interface WebParts {
  readonly context: CommandContext;
  readonly composition: Composition;
}

/** What `argus daemon` serves over HTTP beside metrics and health. */
export async function daemonWeb({ context, composition }: WebParts): Promise<HttpParts> {
  const settings = await httpSettings(composition.config.daemon, composition.folder, context.env);
  return { settings, routes: [] };
}
