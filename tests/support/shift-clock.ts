// Loaded into a process by `node --import` before anything else: its wall clock goes wrong by SHIFT_CLOCK_MS.
const shiftMs = Number(process.env.SHIFT_CLOCK_MS);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [RealDate.now() + shiftMs] : args) as [number]));
  }
  static override now = () => RealDate.now() + shiftMs;
} as DateConstructor;
