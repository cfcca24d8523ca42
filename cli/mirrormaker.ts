import type { Config } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { MirrorMakerConfig } from '../domain/mirrormaker-config.ts';
import type { Roles } from '../domain/roles.ts';
import type { ConnectCluster } from '../regions/connect/connect-rest.ts';
import type { Region } from '../regions/region.ts';
import type { DeployOptions } from '../replication/mirrormaker/deploy.ts';
import type { MirrorMakerFlow } from '../replication/mirrormaker/flow.ts';
import type { MirrorMakerSides } from '../replication/mirrormaker/watch.ts';
import type { Composition } from './compose.ts';
import { resolveSecret } from './config/load.ts';
import type { CommandContext } from './context.ts';
import { requireReplication, sidesOf } from './session.ts';

/** All that a command about MirrorMaker 2 works with, between the regions of the roles in force. */
export interface MirrorMakerWork {
  readonly section: MirrorMakerConfig;
  readonly flow: MirrorMakerFlow;
  readonly primary: Region;
  readonly standby: Region;
  readonly connect: ConnectCluster;
  /** In the order in which they are started. */
  readonly connectors: readonly string[];
  readonly sides: MirrorMakerSides;
  readonly deploying: DeployOptions;
}

/** How long connectors may take until they are seen running or stopped. */
const deployMs = 60_000;

/** The section for MirrorMaker; another engine is a refusal (exit code 2). */
export function mirrorMakerSection({ mirror }: Pick<Config, 'mirror'>): MirrorMakerConfig {
  if (mirror.engine === 'mirrormaker2' && mirror.mirrormaker) return mirror.mirrormaker;
  throw new ArgusError('EngineIsArgus', 'mirror.engine is argus: there is no MirrorMaker to look after', {
    exitCode: 2,
    hint: 'set mirror.engine: mirrormaker2 and mirror.mirrormaker.connectUrl in argus.yaml',
  });
}

/** Throws (exit code 3) where MirrorMaker mirrors, for what only Argus' own mirror can do. */
export function requireOwnMirror({ mirror }: Pick<Config, 'mirror'>, command: string, hint: string): void {
  if (mirror.engine === 'argus') return;
  throw new ArgusError('EngineIsMirrorMaker', `argus ${command} is not offered with mirror.engine: mirrormaker2`, {
    exitCode: 3,
    hint,
  });
}

/** Opens what a command needs; nothing is asked yet. */
export async function openMirrorMaker(
  context: CommandContext,
  composition: Composition,
  roles: Roles,
): Promise<MirrorMakerWork> {
  const { config, folder } = composition;
  const { clock, signal } = context;
  const section = mirrorMakerSection(config);
  requireReplication(roles, `there is nothing to mirror to ${roles.standby} until it is a standby again`);
  const { primary, standby } = await sidesOf(context, composition, roles);
  const [{ connectRest }, { mirrorMakerFlow }, { connectorConfigs }] = await Promise.all([
    import('../regions/connect/connect-rest.ts'),
    import('../replication/mirrormaker/flow.ts'),
    import('../replication/mirrormaker/render.ts'),
  ]);
  const url = section.connectUrl[standby.name];
  if (url === undefined)
    throw new ArgusError('ConfigInvalid', `mirror.mirrormaker.connectUrl has no address for ${standby.name}`, {
      exitCode: 2,
      hint: `name the Kafka Connect cluster whose workers belong to ${standby.name}'s Kafka`,
    });
  const { username, password } = section;
  const login =
    username === undefined || password === undefined
      ? undefined
      : { username, password: await resolveSecret(password, folder, context.env) };
  const connect = connectRest({ region: standby.name, url, login });
  const flow = mirrorMakerFlow(config, section, roles);
  return {
    section,
    flow,
    primary,
    standby,
    connect,
    connectors: [...connectorConfigs(flow).keys()],
    sides: { flow, source: primary.brokers, target: standby.brokers, clock, signal },
    deploying: { connect, clock, signal, timeoutMs: deployMs, onProgress: (message) => context.tell(message) },
  };
}
