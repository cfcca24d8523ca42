import type { ApiCall, Envelope } from './api-routes.ts';
import type { BalancerChange, Balancers, PoolChange } from './load-balancers.ts';
import { type RecordPatch, ZoneError } from './record-rules.ts';

/** The routes below `/zones/<zone>/load_balancers`; undefined: no such route. `rest` is what stands behind it. */
export function zoneBalancers(call: ApiCall, rest: readonly string[], balancers: Balancers): unknown {
  const [id, more] = rest;
  if (more !== undefined) return undefined;
  if (id === undefined) return call.method === 'GET' ? balancers.balancers() : undefined;
  if (call.method === 'GET') return balancers.balancer(id);
  return call.method === 'PATCH' ? balancers.patchBalancer(id, balancerChange(bodyOf(call))) : undefined;
}

/** The routes below `/accounts/<account>/load_balancers`: pools with their health, and monitors. */
export function accountBalancers(call: ApiCall, rest: readonly string[], balancers: Balancers): unknown {
  const [what, id, more] = rest;
  if (what === 'monitors' && call.method === 'GET' && more === undefined) {
    return id === undefined ? balancers.monitors() : balancers.monitor(id);
  }
  if (what !== 'pools') return undefined;
  if (id === undefined) return call.method === 'GET' ? balancers.pools() : undefined;
  if (more === 'health' && call.method === 'GET') {
    return { pool_id: id, pop_health: { healthy: balancers.healthy(id) } };
  }
  if (more !== undefined) return undefined;
  if (call.method === 'GET') return balancers.pool(id);
  return call.method === 'PATCH' ? balancers.patchPool(id, poolChange(bodyOf(call))) : undefined;
}

/** What is refused that isn't a change of a load balancer, by the fields that the stand-in knows. */
function balancerChange(body: RecordPatch & Record<string, unknown>): BalancerChange {
  const change: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    const ok =
      (key === 'default_pools' && isTexts(value)) ||
      ((key === 'fallback_pool' || key === 'steering_policy') && typeof value === 'string') ||
      ((key === 'enabled' || key === 'proxied') && typeof value === 'boolean') ||
      (key === 'ttl' && typeof value === 'number') ||
      (key === 'region_pools' && typeof value === 'object' && value !== null && Object.values(value).every(isTexts));
    if (!ok) throw new ZoneError(400, 1002, `${key}: is not what a load balancer has`);
    change[key] = value;
  }
  return change as BalancerChange;
}

function poolChange(body: RecordPatch & Record<string, unknown>): PoolChange {
  for (const [key, value] of Object.entries(body)) {
    const ok = (key === 'enabled' && typeof value === 'boolean') || (key === 'monitor' && typeof value === 'string');
    if (!ok) throw new ZoneError(400, 1002, `${key}: is not what a pool has here`);
  }
  return body as PoolChange;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');

function bodyOf(call: ApiCall): RecordPatch & Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(call.text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Told below, like every other text that is no object.
  }
  throw new ZoneError(400, 6007, 'Malformed JSON in request body');
}

/** The envelope's page around a list: load balancers, pools and monitors come whole. */
export function whole(result: unknown): Envelope {
  return { success: true, errors: [], messages: [], result };
}
