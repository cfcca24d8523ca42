import { ArgusError } from '../../domain/errors.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

const textBytes = 200;

/** Does an ingress say that it serves? Any answer of 2xx does; another is `IngressRefused`. Redirections are not followed. */
export function probeIngress(url: string, options: ProbeOptions): Promise<ProbeOf<number>> {
  return probe(async ({ signal }) => {
    const answer = await fetch(url, { redirect: 'manual', signal, headers: { 'user-agent': 'argus' } });
    if (answer.ok) {
      await answer.body?.cancel();
      return answer.status;
    }
    const text = (await answer.text()).slice(0, textBytes).replaceAll(/\s+/g, ' ').trim();
    throw new ArgusError('IngressRefused', `${url} answered ${answer.status}${text === '' ? '' : `: ${text}`}`);
  }, options);
}
