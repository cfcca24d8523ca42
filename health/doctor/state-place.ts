import type { StorePlace } from '../../domain/store-config.ts';
import type { DoctorFinding } from './finding.ts';

interface Bucket {
  readonly endpoint: string;
  readonly bucket: string;
}

/** Whether the state would be there when the primary is gone. Pure. */
export function judgeStatePlace(
  check: string,
  state: StorePlace,
  primary: { readonly name: string; readonly objects: Bucket },
  automatic: boolean,
): readonly DoctorFinding[] {
  if (typeof state === 'string') {
    const fix =
      'put it into a bucket in a third place, or at the standby: state: { url: s3://… }, docs/configuration.md';
    const message = `the state lies in a folder (${state}): whoever runs argus on another machine sees other roles and takes another lease`;
    return [{ check, code: 'StateOnOneMachine', severity: automatic ? 'error' : 'warning', message, fix }];
  }
  const bucket = /^s3:\/\/([^/]+)/.exec(state.url)?.[1];
  if (state.endpoint !== primary.objects.endpoint || bucket !== primary.objects.bucket) return [];
  return [
    {
      check,
      code: 'StateInActiveRegion',
      severity: 'error',
      region: primary.name,
      message: `the state lies in the bucket of ${primary.name}, which is the primary: it is gone when it is needed`,
      fix: 'put it into a bucket in a third place, or at the standby',
    },
  ];
}
