import { ArgusError } from '../../domain/errors.ts';
import { type DoctorFinding, type DoctorVerdict, doctorVerdict } from '../../health/doctor/finding.ts';
import type { CommandContext } from '../context.ts';
import { type DoctorOptions, doctorChecks, runCheck } from '../doctor/checks.ts';
import { missingSecrets } from '../doctor/missing-secrets.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

const defaultTimeoutMs = 30_000;

/**
 * `argus doctor`: every check of what Argus needs, at once, each within its time, and what nobody moves by itself.
 * Changes nothing but probe objects, which it removes. Exit code 1 when something found is an error.
 */
export async function run(context: CommandContext, options: DoctorOptions): Promise<number> {
  const { config, folder, file } = await context.loadConfig();
  const { region } = options;
  if (region !== undefined && !(region in config.regions)) throw noRegion(region, Object.keys(config.regions));
  const secrets = await missingSecrets(config, folder, context.env);
  // Without them no connection can be made.
  if (secrets.length > 0) return tell(context, file, doctorVerdict([{ check: 'secrets', findings: secrets }]), options);
  return withComposition(context, async (composition) => {
    const roles = await rolesNow(context, composition);
    const sides = await sidesOf(context, composition, roles);
    const timeoutMs = options.timeout ?? defaultTimeoutMs;
    const checks = doctorChecks(composition, roles, sides, options);
    context.tell(`looking at ${checks.map(({ check }) => check).join(', ')} …`);
    const running = checks.map((check) => runCheck(check, context, timeoutMs));
    // The connections stay until the last has taken back what it made.
    await Promise.allSettled(running);
    const outcomes = await Promise.all(running);
    return tell(context, file, doctorVerdict([{ check: 'secrets', findings: [] }, ...outcomes], region), options);
  });
}

function tell(context: CommandContext, file: string, verdict: DoctorVerdict, { fixHints }: DoctorOptions): number {
  if (context.json) context.print(JSON.stringify({ file, ...verdict }));
  else for (const line of fixHints === true ? fixes(verdict) : lines(file, verdict)) context.print(line);
  return verdict.ok ? 0 : 1;
}

function lines(file: string, { checks, findings, counts, ok }: DoctorVerdict): readonly string[] {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const some = (n: number, one: string, many = `${one}s`) => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}`]);
  const all = [
    ...some(counts.error, 'error'),
    ...some(counts.warning, 'warning'),
    ...some(counts.unknown, 'unknown', 'unknown'),
    ...some(counts.advice, 'piece of advice', 'pieces of advice'),
  ];
  return [
    ...checks.map(
      ({ check, worst, findings: n }) => `${check.padEnd(width)}  ${worst === undefined ? 'ok' : `${worst} (${n})`}`,
    ),
    '',
    ...findings.flatMap((finding) => [`${finding.severity} ${finding.code}: ${sentence(finding)}`, `  ${finding.fix}`]),
    `${file}: ${all.length === 0 ? 'nothing found' : all.join(', ')}${ok ? '; nothing keeps Argus from its work' : ''}`,
  ];
}

const fixes = ({ findings }: DoctorVerdict): readonly string[] =>
  findings.map((finding) => `[ ] ${finding.fix}  (${finding.code})`);

const sentence = ({ job, message }: DoctorFinding): string => (job === undefined ? message : `${job}: ${message}`);

function noRegion(region: string, regions: readonly string[]): ArgusError {
  return new ArgusError('RegionUnknown', `no region is called "${region}" in the configuration`, {
    hint: `there are: ${regions.join(', ')}`,
    exitCode: 2,
  });
}
