/**
 * What is done about a call of a port: let through, since it only reads (`reads`); refused to every drill (`never`); or
 * looked at first, which throws what stands against it. `value`: no method.
 */
type Rule<P> =
  NonNullable<P> extends (...args: infer A) => unknown ? 'reads' | 'never' | ((...args: A) => void) : 'value';

/** One rule for each member of a port: a member that is added without one doesn't compile. */
export type Rules<P> = { readonly [K in keyof P]-?: Rule<P[K]> };

/** A port, each of whose calls is let through only as its rule says; `refuse` makes the error of the others. */
export function guardedPort<P extends object>(port: P, rules: Rules<P>, refuse: (call: string) => Error): P {
  const members = Object.entries(rules) as readonly (readonly [
    string,
    Rule<(...args: readonly unknown[]) => unknown>,
  ])[];
  const guarded: Record<string, unknown> = {};
  for (const [name, rule] of members) {
    const member: unknown = Reflect.get(port, name);
    if (member === undefined) continue;
    if (typeof member !== 'function') {
      guarded[name] = member;
      continue;
    }
    guarded[name] = (...args: readonly unknown[]): unknown => {
      if (typeof rule === 'function') rule(...args);
      else if (rule !== 'reads') throw refuse(name);
      return Reflect.apply(member, port, args);
    };
  }
  return guarded as P;
}
