import { expect, test } from 'vitest';
import { claimPorts } from '../../../lab/ports.ts';

test('two labs that want the same block get different ones', async () => {
  const [a, b] = await Promise.all([claimPorts(() => 0.5), claimPorts(() => 0.5)]);
  try {
    expect(a.anchor).not.toBe(b.anchor);
    const ports = Array.from({ length: 20 }, () => [a.take(), b.take()]).flat();
    expect(new Set(ports).size).toBe(40);
  } finally {
    await Promise.all([a.release(), b.release()]);
  }
});

test('every port lies below the range of outgoing connections', async () => {
  const block = await claimPorts(() => 0.999);
  try {
    expect(block.anchor).toBeGreaterThanOrEqual(20_000);
    expect(block.anchor).toBeLessThan(32_000);
  } finally {
    await block.release();
  }
});
