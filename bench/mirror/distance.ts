import { startComponent } from '../../lab/components/process.ts';
import type { BareStage } from './stage.ts';

/** A link to a server with a delay in each direction. */
export interface Distance {
  /** Where the server is reached through it. */
  readonly address: string;
}

/** Puts toxiproxy before the far listener of a server; it lives as long as the stage. */
export async function startDistance(
  stage: BareStage,
  server: { readonly far: { readonly listener: string; readonly proxy: string } },
  delayMs: number,
): Promise<Distance> {
  const port = stage.ports.take();
  const api = `http://127.0.0.1:${port}`;
  const started = startComponent(stage, {
    component: 'distance/toxiproxy',
    command: stage.artifacts.toxiproxy,
    args: ['-host', '127.0.0.1', '-port', String(port)],
    env: { LOG_LEVEL: 'error' },
  });
  await started.ready(async (signal) => (await fetch(`${api}/version`, { signal })).ok, {
    timeoutMs: 20_000,
    signal: stage.signal,
  });
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body), signal: stage.signal });
    if (!answer.ok) throw new Error(`toxiproxy refused ${path}: ${await answer.text()}`);
  };
  const { listener: upstream, proxy: listen } = server.far;
  await post('/proxies', { name: 'far', listen, upstream, enabled: true });
  for (const stream of ['upstream', 'downstream']) {
    await post('/proxies/far/toxics', { type: 'latency', stream, attributes: { latency: delayMs } });
  }
  return { address: listen };
}
