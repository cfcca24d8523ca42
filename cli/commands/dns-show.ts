import type { NamesView } from '../../runbooks/names/check-names.ts';
import type { CommandContext } from '../context.ts';
import { withComposition } from '../session.ts';
import { lookAtNames } from './dns-check.ts';

/** `argus dns show`: what the provider, the resolvers and the zone's own servers say of each name. Reads only. */
export async function run(context: CommandContext): Promise<number> {
  return withComposition(context, async (composition) => {
    const view = await lookAtNames(context, composition);
    const { primary, standby, names, provider } = view;
    if (context.json) context.print(JSON.stringify({ primary, standby, names, provider }));
    else for (const line of lines(view)) context.print(line);
    return names.every(({ records }) => records.kind === 'known') ? 0 : 1;
  });
}

function lines({ primary, standby, names, provider }: NamesView): readonly string[] {
  const region = (address: string) =>
    address === primary.address
      ? `${address} (${primary.name}, primary)`
      : address === standby.address
        ? `${address} (${standby.name}, standby)`
        : address;
  const told = names.flatMap(({ name, records, answers }) => [
    name,
    ...(records.kind === 'unknown'
      ? [`  provider: ${records.why}`]
      : records.value.map(
          (r) =>
            `  provider: ${r.pools ? 'load balancer to ' : ''}${region(r.content)}, TTL ${r.ttlSeconds} s${r.proxied ? ', proxied' : ''}`,
        )),
    ...answers.map(({ server, authoritative, answer }) => {
      const says =
        answer.kind === 'unknown'
          ? answer.why
          : answer.value.addresses.length === 0
            ? 'nothing'
            : `${answer.value.addresses.map(region).join(', ')}, for ${answer.value.ttlSeconds} s`;
      return `  ${authoritative ? 'zone server' : 'resolver'} ${server}: ${says}`;
    }),
  ]);
  const checks = provider?.healthChecks.map((c) => `health check ${c.name} of ${c.address}: ${c.status}`) ?? [];
  return [...told, ...checks];
}
