import type { StorePlace } from '../../domain/store-config.ts';
import type { DoctorFinding } from './finding.ts';

interface Bucket {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
}

/**
 * Whether the state would be there when the primary is gone. Where the standby's bucket lies in the same store the
 * endpoint says nothing of the region: then only the primary's own bucket counts. Pure.
 */
export function judgeStatePlace(
  check: string,
  state: StorePlace,
  primary: { readonly name: string; readonly objects: Bucket },
  standby: Omit<Bucket, 'bucket'>,
  automatic: boolean,
): readonly DoctorFinding[] {
  if (typeof state === 'string') {
    const fix =
      'put it into a bucket in a third place, or at the standby: state: { url: s3://… }, docs/configuration.md';
    const message = `the state lies in a folder (${state}): whoever runs argus on another machine sees other roles and takes another lease`;
    return [{ check, code: 'StateOnOneMachine', severity: automatic ? 'error' : 'warning', message, fix }];
  }
  const bucket = /^s3:\/\/([^/]+)/.exec(state.url)?.[1];
  const { name: region, objects } = primary;
  const finding = { check, code: 'StateInActiveRegion', region };
  const fix = 'put it into a bucket in a third place, or at the standby';
  const of = `of ${region}, which is the primary`;
  if (hostOf(state) === hostOf(objects) && bucket === objects.bucket) {
    const message = `the state lies in the bucket ${of}: it is gone when it is needed`;
    return [{ ...finding, severity: 'error', message, fix }];
  }
  const sameStore = (one: Omit<Bucket, 'bucket'>) => hostOf(one) === hostOf(objects) && one.region === objects.region;
  if (!sameStore(state) || sameStore(standby)) return [];
  const message = `the state lies in the object store ${of}, in another bucket: if the store goes with the region, it is gone when it is needed`;
  return [{ ...finding, severity: 'warning', message, fix }];
}

const hostOf = ({ endpoint }: Pick<Bucket, 'endpoint'>) => new URL(endpoint).host;
