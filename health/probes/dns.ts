import type { DnsRecord, DnsRecords, DnsResolver } from '../../regions/dns/dns-records.ts';
import { type Probe, type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** What one resolver answers for one name. */
export function probeResolver(
  resolver: DnsResolver,
  name: string,
  type: DnsRecord['type'],
  options: ProbeOptions,
): Promise<ProbeOf<readonly string[]>> {
  return probe((call) => resolver.resolve(name, type, call), options);
}

/** Does the provider's API answer with this token, and which records does it hold for the name? */
export function probeRecords(
  records: DnsRecords,
  name: string,
  type: DnsRecord['type'],
  options: ProbeOptions,
): Promise<ProbeOf<readonly DnsRecord[]>> {
  return probe((call) => records.find(name, type, call), options);
}

/** What one resolver said of a name. */
export interface NameAnswer {
  readonly name: string;
  readonly resolver: string;
  readonly answer: ProbeOf<readonly string[]>;
}

/**
 * The answers of several resolvers beside each other: one that gives other addresses than most of those that answer is
 * `ResolversDisagree`, one that gives none `NameEmpty`. Where no majority is, each is on its own. Pure.
 */
export function judgeAnswers(answers: readonly NameAnswer[]): readonly (NameAnswer & { readonly judged: Probe })[] {
  const text = ({ answer }: NameAnswer) => [...(answer.value ?? [])].sort().join(', ');
  return answers.map((each) => {
    const { value, ...looked } = each.answer;
    if (value === undefined) return { ...each, judged: looked };
    const told = answers.filter((a) => a.name === each.name && a.answer.value !== undefined).map(text);
    const most = told.find((t) => told.filter((other) => other === t).length * 2 > told.length);
    const own = text(each);
    if (own === '') {
      const reason = `${each.resolver} knows no address of ${each.name}`;
      return { ...each, judged: { ...looked, status: 'failed' as const, code: 'NameEmpty', reason } };
    }
    if (most === undefined || most === own) return { ...each, judged: looked };
    const reason = `${each.resolver} answers ${own} for ${each.name}, most others ${most || 'nothing'}`;
    return { ...each, judged: { ...looked, status: 'failed' as const, code: 'ResolversDisagree', reason } };
  });
}
