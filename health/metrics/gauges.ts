import { Gauge, type Registry } from 'prom-client';

/** Gauges of one registry that are set anew at each scrape: what nobody sets is left out. */
export interface Gauges {
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  /** Forgets every value, so that nothing of the scrape before is told again. */
  clear(): void;
}

/** See `Gauges`. */
export function gaugesOf(registry: Registry): Gauges {
  const all: { readonly gauge: Gauge; readonly labelled: boolean }[] = [];
  return {
    gauge(name, help, labelNames = []) {
      const gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
      all.push({ gauge, labelled: labelNames.length > 0 });
      return gauge;
    },
    clear() {
      for (const { gauge, labelled } of all) {
        if (labelled) gauge.reset();
        else gauge.remove();
      }
    },
  };
}

/** Unix seconds of milliseconds, and seconds of durations. */
export const seconds = (ms: number): number => ms / 1_000;

/** 1 or 0, as Prometheus tells yes and no. */
export const flag = (yes: boolean): 0 | 1 => (yes ? 1 : 0);
