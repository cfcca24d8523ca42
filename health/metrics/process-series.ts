import { Counter, Gauge, type Registry } from 'prom-client';

/** Adds what Prometheus' client libraries tell of a process, under the names that they use. */
export function processSeries(registry: Registry): void {
  const registers = [registry];
  const began = Date.now() / 1_000 - process.uptime();
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the daemon, without the mirror.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the daemon, without the mirror.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the daemon began, in Unix seconds.',
    registers,
    collect() {
      this.set(began);
    },
  });
}
