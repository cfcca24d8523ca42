import { labProcesses } from './components/process-table.ts';
import type { Lab } from './lab.ts';
import { names, type RegionName, regionNames } from './lab-info.ts';
import { type LinkState, linkStates } from './links.ts';
import type { ComponentStatus } from './region.ts';
import { progressLines } from './setup/progress-lines.ts';
import type { LabEvent } from './start-parts.ts';

/** All there is to see of a lab, as `lab status --json` gives it. */
export interface StatusView {
  readonly dir: string;
  readonly startedAtMs: number;
  readonly configPath: string;
  readonly regions: Readonly<Record<RegionName, readonly ComponentStatus[]>>;
  /** What runs outside the regions: component and process id. */
  readonly outside: readonly { readonly component: string; readonly pid: number; readonly residentMiB: number }[];
  /** Empty when the network doesn't answer. */
  readonly links: readonly LinkState[];
  /** The job that was started with the lab, in Flink's words; UNKNOWN when Flink doesn't tell. */
  readonly job: { readonly id: string; readonly state: string };
  /** Resident memory of all processes together. */
  readonly residentMiB: number;
}

/** Looks at every part of the lab at once; what doesn't answer within some seconds is shown so. */
export async function statusOf(lab: Lab): Promise<StatusView> {
  const { info } = lab;
  const [regions, links] = await Promise.all([
    Promise.all(regionNames.map(async (name) => [name, await lab.regions[name].status()] as const)),
    // A network that is gone is told by the missing process.
    linkStates(info).catch(() => []),
  ]);
  // After the others, whose time is short: a client has to be loaded for it where Flink is asked through Kubernetes.
  const job = await lab.jobState(info.cluster ? 3_000 : 1_000).catch(() => 'UNKNOWN');
  const all = labProcesses(info.id);
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return {
    dir: info.dir,
    startedAtMs: info.startedAtMs,
    configPath: info.configPath,
    regions: Object.fromEntries(regions) as StatusView['regions'],
    outside: all
      .filter((p) => p.component.startsWith('outside/'))
      .map((p) => ({ component: p.component, pid: p.pid, residentMiB: mib(p.residentBytes) })),
    links,
    job: { id: info.flinkJobId, state: job },
    residentMiB: mib(all.reduce((sum, p) => sum + p.residentBytes, 0)),
  };
}

export function renderStatus(view: StatusView): string {
  return [
    `lab in ${view.dir}, ${view.residentMiB} MiB resident`,
    `configuration ${view.configPath}`,
    ...regionNames.map((name) => renderRegion(name, view.regions[name])),
    'outside',
    ...view.outside.map((p) => row(p.component.replace('outside/', ''), 'running', p.pid, p.residentMiB)),
    renderLinks(view.links),
    `job ${names.job} ${view.job.id}: ${view.job.state}`,
  ].join('\n');
}

export function renderRegion(name: RegionName, components: readonly ComponentStatus[]): string {
  return [
    name,
    ...components.map((c) =>
      row(c.component, c.state === 'running' && !c.answers ? 'running, no answer' : c.state, c.pid, c.residentMiB),
    ),
  ].join('\n');
}

export function renderLinks(links: readonly LinkState[]): string {
  const lines = links.map(({ from, to, state, delayMs, rateKBps }) => {
    const effects = [
      state as string,
      ...(delayMs > 0 ? [`delay ${delayMs} ms`] : []),
      ...(rateKBps > 0 ? [`${rateKBps} KB/s`] : []),
    ];
    return `  ${`${from} → ${to}`.padEnd(22)} ${effects.join(', ')}`;
  });
  return ['links', ...lines].join('\n');
}

/** Turns a lab's events into lines with the seconds since the start. */
export function progressPrinter(write: (line: string) => void): (event: LabEvent) => void {
  const setup = progressLines(write);
  return (event) => {
    if (event.kind === 'setup') setup(event.event);
    else if (event.state === 'ready') write(`${(event.ms / 1000).toFixed(1).padStart(6)} s  ${event.part} ready`);
  };
}

function row(component: string, state: string, pid: number | undefined, residentMiB: number | undefined): string {
  const process = pid === undefined ? '' : `pid ${String(pid).padEnd(8)} ${residentMiB ?? 0} MiB`;
  return `  ${component.padEnd(12)} ${state.padEnd(20)} ${process}`.trimEnd();
}
