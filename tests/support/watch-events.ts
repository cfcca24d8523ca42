import type { RunView } from '../../daemon/web/run-view.ts';

/** What a daemon's stream of events told while it was listened to. */
export interface WatchedEvents {
  /** Each state of each step of each run, in the order in which they were told: `fence started`. */
  readonly steps: readonly string[];
  /** How each run was last told. */
  readonly runs: ReadonlyMap<string, RunView['status']>;
  stop(): Promise<void>;
}

/** Listens to `/api/v1/events`, and comes back when the connection is lost, as a browser does. */
export function watchEvents(url: string): WatchedEvents {
  const steps: string[] = [];
  const runs = new Map<string, RunView['status']>();
  const stop = new AbortController();
  const take = (data: string) => {
    for (const run of (JSON.parse(data) as readonly RunView[]).toReversed()) {
      runs.set(run.run, run.status);
      for (const { id, status } of run.steps) {
        const said = `${id} ${status}`;
        if (!steps.includes(said)) steps.push(said);
      }
    }
  };
  const listen = async () => {
    const response = await fetch(`${url}/api/v1/events`, { signal: stop.signal });
    let text = '';
    for await (const part of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      const events = (text + part).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^event: runs\ndata: (.*)$/.exec(event)?.[1];
        if (data !== undefined) take(data);
      }
    }
  };
  const ended = (async () => {
    while (!stop.signal.aborted) {
      // Lost, or stopped: the loop tells which.
      await listen().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    steps,
    runs,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}
