import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { argus } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import type { AutomaticStanding, KeptDecision } from '../../state/decisions.ts';
import { startTestLab } from './whole-lab.ts';

/** A whole lab with three observers, whose daemon acts by itself: everything was accepted beforehand. */
export async function startAutomaticLab(changes: Readonly<Record<string, unknown>> = {}): Promise<Lab> {
  const lab = await startTestLab({ observers: true });
  const config = parse(readFileSync(lab.configPath, 'utf8')) as { readonly automatic: object };
  const automatic = {
    ...config.automatic,
    mode: 'automatic',
    acceptUnfenced: true,
    acceptUnreachable: true,
    ...changes,
  };
  writeFileSync(lab.configPath, stringify({ ...config, automatic }, { aliasDuplicateObjects: false }));
  return lab;
}

/** What `argus automatic status --json` says. */
export interface AutomaticJson {
  readonly fresh: boolean;
  readonly standing: AutomaticStanding | null;
  readonly decisions: readonly KeptDecision[];
}

/** How things stand in a lab, and what was decided. */
export async function automaticStatus(lab: Lab): Promise<AutomaticJson> {
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const done = await argus(settings, ['--json', 'automatic', 'status', '--decisions', '500']);
  if (!done.stdout.startsWith('{'))
    throw new Error(`argus automatic status ended with ${done.exitCode}: ${done.stderr}`);
  return JSON.parse(done.stdout) as AutomaticJson;
}

/** Waits until the daemon finds nothing wrong, and a failover would work: from then on it may act. */
export async function untilWatched(lab: Lab, forMs = 120_000): Promise<void> {
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  let seen = 'nothing';
  for (const deadline = performance.now() + forMs; performance.now() < deadline; await sleep(1_000)) {
    const { fresh, standing } = await automaticStatus(lab);
    const { stdout } = await argus(settings, ['--json', 'readiness']);
    const codes = standing?.verdicts.map((v) => `${v.code}: ${v.sentence}`).join('; ');
    seen = `${fresh ? '' : 'old: '}${codes}; readiness ${stdout.slice(0, 400)}`;
    // What went away several times flaps for minutes.
    const well =
      standing?.verdicts.every((v) => /^(ok|info)$/.test(v.severity) || v.code === 'PrimaryFlapping') === true;
    if (fresh && well && standing.verdicts.length > 0 && /"status":"green"/.test(stdout)) return;
  }
  throw new Error(`not watched, or not ready, within ${forMs / 1_000} s: ${seen}`);
}
