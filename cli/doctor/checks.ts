import { randomBytes } from 'node:crypto';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import { credentialsOf } from '../../health/credentials.ts';
import type { CheckOutcome, DoctorFinding } from '../../health/doctor/finding.ts';
import { removeMs } from '../../health/doctor/try-store.ts';
import type { Region } from '../../regions/region.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { drillsInDeployments } from '../open-flink.ts';
import { lookBefore } from '../session.ts';
import { storesOf } from './stores.ts';

/** What the doctor was asked for. */
export interface DoctorOptions {
  readonly region?: string;
  /** Writes no probe objects. */
  readonly readOnly?: boolean;
  /** Of a GB that leaves the primary. */
  readonly egressPrice?: number;
  /** After this a check is unknown. */
  readonly timeout?: number;
  /** Only what to do. */
  readonly fixHints?: boolean;
}

/** One of the doctor's checks, by the name that its findings carry. */
export interface DoctorCheck {
  readonly check: string;
  run(context: CommandContext): Promise<readonly DoctorFinding[]>;
  /** So long it may go on when its time is over, to take back what it made. */
  readonly tidyMs?: number;
}

/** Where the log sizes are read twice to see how fast they grow. */
const trafficMs = 2_000;

/** Every check, in the order in which their findings are told. Nothing is asked yet. */
export function doctorChecks(
  composition: Composition,
  roles: Pick<Roles, 'primary' | 'standby'>,
  sides: { readonly primary: Region; readonly standby: Region },
  options: DoctorOptions,
): readonly DoctorCheck[] {
  const { config } = composition;
  const { primary, standby } = sides;
  return [
    {
      check: 'connections',
      run: async (context) => {
        const { fromPreflight } = await import('../../health/doctor/from-checks.ts');
        return fromPreflight('connections', await lookBefore(context, composition, 'config-check', roles));
      },
    },
    {
      check: 'state',
      run: async () => {
        const { judgeStatePlace } = await import('../../health/doctor/state-place.ts');
        const { objects } = config.regions[primary.name] as (typeof config.regions)[string];
        const { objects: other } = config.regions[standby.name] as (typeof config.regions)[string];
        const place = { name: primary.name, objects };
        return judgeStatePlace('state', config.state, place, other, config.automatic.mode === 'automatic');
      },
    },
    {
      check: 'buckets',
      tidyMs: removeMs + 1_000,
      run: async (context) => {
        const [{ judgeStore }, { tryStore }] = await Promise.all([
          import('../../health/doctor/buckets.ts'),
          import('../../health/doctor/try-store.ts'),
        ]);
        const name = `probe-${randomBytes(4).toString('hex')}`;
        const { signal, env } = context;
        const seen = storesOf(composition, env).map(async ({ store, settings, ...about }) => {
          const tried = await tryStore(store, { name, readOnly: options.readOnly === true, signal });
          const of = settings === undefined || tried.failed ? {} : { settings: await settings(signal) };
          return judgeStore('buckets', { ...about, uri: store.uri, tried, ...of });
        });
        // Each takes its probe object back, also when another was cut off before it.
        await Promise.allSettled(seen);
        return (await Promise.all(seen)).flat();
      },
    },
    ...(config.mirror.engine === 'argus' ? [topicsCheck(composition)] : []),
    {
      check: 'checkpoints',
      run: async (context) => {
        const [{ lookAtCheckpoints }, { fromJobs }, { gatherJobs }, { judgeSeenJob }] = await Promise.all([
          import('../commands/checkpoints-check.ts'),
          import('../../health/doctor/from-checks.ts'),
          import('../../health/doctor/gather-region.ts'),
          import('../../health/doctor/jobs.ts'),
        ]);
        const [{ verdicts }, seen] = await Promise.all([
          lookAtCheckpoints(context, composition, config.jobs),
          gatherJobs(primary, config.jobs, context),
        ]);
        return [...fromJobs('checkpoints', verdicts), ...seen.flatMap((job) => judgeSeenJob('checkpoints', job))];
      },
    },
    {
      check: 'standby',
      run: async (context) => {
        const [{ lookAtStandby }, { fromStandby }] = await Promise.all([
          import('../commands/standby-check.ts'),
          import('../../health/doctor/from-checks.ts'),
        ]);
        const { region, verdict } = await lookAtStandby(context, composition, config.jobs, false);
        return fromStandby('standby', region, verdict);
      },
    },
    ...drillsChecks(composition, roles),
    {
      check: 'names',
      run: async (context) => {
        const [{ lookAtNames }, { checkNames }, { fromNames }] = await Promise.all([
          import('../commands/dns-check.ts'),
          import('../../runbooks/names/check-names.ts'),
          import('../../health/doctor/from-checks.ts'),
        ]);
        return fromNames('names', checkNames(await lookAtNames(context, composition)));
      },
    },
    {
      check: 'versions',
      run: async (context) => {
        const [{ gatherVersions }, { judgeVersions }] = await Promise.all([
          import('../../health/doctor/gather-region.ts'),
          import('../../health/doctor/versions.ts'),
        ]);
        return judgeVersions(
          'versions',
          ...(await Promise.all([gatherVersions(primary, context), gatherVersions(standby, context)])),
        );
      },
    },
    { check: 'expiry', run: (context) => expiries(context, composition) },
    {
      check: 'clients',
      run: async (context) => {
        const [{ gatherClients }, { judgeClients }] = await Promise.all([
          import('../../health/doctor/gather-clients.ts'),
          import('../../health/doctor/clients.ts'),
        ]);
        const fence = config.regions[primary.name]?.kafka.fence;
        const followed = {
          jobs: config.jobs.map((job) => job.consumerGroup),
          ...(config.groups && { patterns: config.groups }),
        };
        const { topics } = config;
        const sources = { primary, standby, topics, followed, fenced: fence?.by === 'acl', signal: context.signal };
        return judgeClients('clients', await gatherClients(sources));
      },
    },
    {
      check: 'egress',
      run: async ({ clock, signal }) => {
        const [{ gatherTraffic }, { judgeEgress }] = await Promise.all([
          import('../../health/doctor/gather-region.ts'),
          import('../../health/doctor/egress.ts'),
        ]);
        const sleep = (ms: number, until: AbortSignal) => clock.sleep(ms, until);
        const time = { waitMs: trafficMs, now: () => clock.now(), sleep };
        const traffic = await gatherTraffic({ primary, standby, topics: config.topics, ...time, signal });
        return judgeEgress('egress', traffic, options.egressPrice);
      },
    },
  ];
}

function topicsCheck(composition: Composition): DoctorCheck {
  return {
    check: 'topics',
    run: async (context) => {
      const [{ lookAtTopics }, { fromTopics }] = await Promise.all([
        import('../commands/mirror-check.ts'),
        import('../../health/doctor/from-checks.ts'),
      ]);
      const { verdicts, clusters } = await lookAtTopics(context, composition);
      const clocks = clusters.warnings.map((message) => ({
        check: 'topics',
        code: 'ClockSkewed',
        severity: 'warning' as const,
        message,
        fix: 'set the clocks by NTP',
      }));
      return [...fromTopics('topics', verdicts), ...clocks];
    },
  };
}

/** Only where drills' jobs are FlinkDeployments. */
function drillsChecks(composition: Composition, roles: Pick<Roles, 'standby'>): readonly DoctorCheck[] {
  const places = [...composition.regions.keys()].filter((name) => drillsInDeployments(name, composition.config));
  if (places.length === 0) return [];
  const run: DoctorCheck['run'] = async (context) => {
    const { lookAtDrillPlaces } = await import('./drills.ts');
    const looks = places.map((region) =>
      lookAtDrillPlaces('drills', context, composition, { region, standsBy: region === roles.standby }),
    );
    return (await Promise.all(looks)).flat();
  };
  return [{ check: 'drills', run }];
}

async function expiries(context: CommandContext, composition: Composition): Promise<readonly DoctorFinding[]> {
  const { probeExpiry } = await import('../../health/probes/expiry.ts');
  const { config, regions, names } = composition;
  const { clock, signal } = context;
  const limits = { nowMs: clock.now(), warnMs: config.probes.expiryWarning };
  const looks = credentialsOf(config, [...regions.values()], names).map(async (credential) => {
    const seen = await probeExpiry(credential, limits, { clock, signal, deadlineMs: 5_000 });
    if (seen.status === 'ok' || (seen.code !== 'Expired' && seen.code !== 'Expiring')) return [];
    return [
      {
        check: 'expiry',
        code: seen.code,
        severity: seen.code === 'Expired' ? ('error' as const) : ('warning' as const),
        message: seen.reason ?? credential.what,
        fix: 'renew it, and give the new one to whoever uses it (docs/operations.md, Rotating secrets)',
      },
    ];
  });
  return (await Promise.all(looks)).flat();
}

/** Runs a check within its time; what goes wrong is a finding. Throws only when the command is to end. */
export async function runCheck(
  { check, run, tidyMs = 0 }: DoctorCheck,
  context: CommandContext,
  timeoutMs: number,
): Promise<CheckOutcome> {
  const late = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([context.signal, late]);
  try {
    const running = run({ ...context, signal, tell: () => undefined });
    const aborted = new Promise<never>((_, reject) => {
      const over = async () => {
        const enough = new AbortController();
        if (tidyMs > 0)
          await Promise.race([running, context.clock.sleep(tidyMs, enough.signal)]).catch(() => undefined);
        enough.abort();
        reject(signal.reason);
      };
      signal.addEventListener('abort', () => void over(), { once: true });
    });
    return { check, findings: await Promise.race([running, aborted]) };
  } catch (error) {
    context.signal.throwIfAborted();
    const known = error instanceof ArgusError ? error : undefined;
    const message = late.aborted ? `no end within ${timeoutMs / 1_000} s` : describeError(error);
    const finding: DoctorFinding = {
      check,
      code: late.aborted ? 'CheckTimedOut' : (known?.code ?? 'CheckFailed'),
      severity: 'unknown',
      message: `the check of ${check} came to nothing: ${message}`,
      fix: known?.hint ?? 'see what the check of connections says; then try again, with --timeout 60s where it is slow',
    };
    return { check, findings: [finding] };
  }
}
