import { type ArgusSettings, startDaemon } from '../../../lab/demo/argus-command.ts';

/** `argus daemon`, started again when it ended, as a service manager does: a broker that is slow at its start ends it. */
export function keepDaemon(settings: ArgusSettings, logPath: string): { stop(): Promise<void> } {
  let isKept = true;
  const start = () => {
    const daemon = startDaemon(settings, logPath);
    daemon.process.once('exit', () => {
      if (isKept) current = start();
    });
    return daemon;
  };
  let current = start();
  return {
    async stop() {
      isKept = false;
      await current.stop();
    },
  };
}
