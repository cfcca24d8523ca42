import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { configPath } from '../config/load.ts';
import { parseConfig } from '../config/parse.ts';
import type { CommandContext } from '../context.ts';
import { type Answers, answersOf, answersShape, requireReferences } from '../init/answers.ts';
import { type Asker, nobody, requireNothingMissing } from '../init/ask.ts';
import { completeJobs, completeRecords, completeSide, completeTopics } from '../init/complete.ts';
import { type FoundRegion, type Looked, lookAtRegion, lookAtZone } from '../init/look.ts';
import { type InitPlan, renderInit } from '../init/render.ts';
import { configExists, writeConfig } from '../init/write-config.ts';

interface InitOptions extends Readonly<Record<string, unknown>> {
  readonly answers?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
  /** Looks at nothing. */
  readonly offline?: boolean;
}

const silent: FoundRegion = {
  kafka: { failed: 'not looked at' },
  objects: { failed: 'not looked at' },
  flink: { failed: 'not looked at' },
};

/**
 * `argus init`: asks, or takes flags and a file of answers; looks at each connection; writes a commented `argus.yaml`.
 * What doesn't answer is noted in it. Never over a file that is there, unless `--force`.
 */
export async function run(context: CommandContext, options: InitOptions): Promise<number> {
  const path = configPath(context.configFile, context.env);
  if (options.force !== true && existsSync(path)) throw configExists(path);
  const given = answersOf(options, await answersFile(options.answers));
  requireReferences(given);
  const missing: string[] = [];
  const asks = context.interactive && !context.json && options.yes !== true;
  const ask = asks ? await (await import('../init/prompt.ts')).atTerminal(context.signal) : nobody(missing);
  const plan = await askForAll(context, given, ask, {
    folder: dirname(resolve(path)),
    offline: options.offline === true,
    asks,
  });
  requireNothingMissing(missing);
  const text = renderInit(plan);
  parseConfig(text, path);
  await writeConfig(path, text, options.force === true);
  const secrets = referencesOf(text).filter((name) => !context.env[name]);
  if (context.json) {
    const { topics, jobs, records, remarks } = plan;
    context.print(
      JSON.stringify({ file: path, topics, jobs, records, notConfirmed: remarks, unsetVariables: secrets }),
    );
    return 0;
  }
  context.print(`${path} is written`);
  for (const { about, remark } of plan.remarks) context.print(`not confirmed: ${about}: ${remark}`);
  if (secrets.length > 0) context.print(`to be set before Argus runs: ${secrets.join(', ')}`);
  context.print('next: argus config check, then argus doctor');
  return 0;
}

/** Everything that isn't given is asked for, each region's right before it is looked at. */
async function askForAll(
  context: CommandContext,
  given: Answers,
  ask: Asker,
  { folder, offline, asks }: { readonly folder: string; readonly offline: boolean; readonly asks: boolean },
): Promise<InitPlan> {
  const { env, signal } = context;
  const remarks: { about: string; remark: string }[] = [];
  const from = { folder, env, signal };
  const side = async (of: 'primary' | 'standby') => {
    const answers = await completeSide(ask, of, given[of]);
    requireReferences({ [of]: answers });
    const known = answers.name !== undefined && answers.kafka !== undefined && answers.objects !== undefined;
    const found = offline || !known ? silent : await lookAtRegion(answers, from);
    if (!offline && known) remarks.push(...tellRegion(context, answers.name ?? of, found));
    return { answers, found };
  };
  const primary = await side('primary');
  const standby = await side('standby');
  const answers: Answers = { ...given, primary: primary.answers, standby: standby.answers };
  const topics = await completeTopics(ask, answers, primary.found);
  const jobs = await completeJobs(ask, answers, primary.found);
  const dnsZone =
    answers.dnsZone ?? (await ask.text({ flag: '--dns-zone', message: 'DNS zone, at Cloudflare or Route 53' }));
  const dnsToken =
    answers.dnsToken ??
    (answers.route53 === undefined
      ? await ask.text({
          flag: '--dns-token',
          message: 'Where the Cloudflare token stands',
          fallback: 'env:CLOUDFLARE_TOKEN',
        })
      : undefined);
  requireReferences({ dnsToken });
  const zone =
    offline || answers.route53 !== undefined || dnsZone === undefined
      ? undefined
      : await lookAtZone(
          { zone: dnsZone, token: dnsToken ?? '', ...(answers.dnsApi === undefined ? {} : { apiUrl: answers.dnsApi }) },
          from,
        );
  if (zone !== undefined)
    remarks.push(...told(context, 'dns', `DNS zone ${dnsZone}`, zone, (found) => `${found.length} A records`));
  const listed = zone !== undefined && 'found' in zone ? zone.found : [];
  const records = await completeRecords(ask, answers, listed, asks);
  const resolvers = answers.resolvers ?? ['1.1.1.1:53', '8.8.8.8:53'];
  const state =
    answers.state ??
    (await ask.text({
      flag: '--state',
      message: 'Where the state lies: s3://bucket/prefix (in the standby’s store), or file:./state on one machine',
      fallback: 'file:./state',
    }));
  const plain = {
    ...answers,
    ...(dnsZone === undefined ? {} : { dnsZone }),
    ...(dnsToken === undefined ? {} : { dnsToken }),
  };
  return {
    answers: { ...plain, ...(state === undefined ? {} : { state }) },
    topics,
    jobs,
    records,
    resolvers,
    remarks,
  };
}

function tellRegion(context: CommandContext, name: string, { kafka, objects, flink }: FoundRegion) {
  const listed = (names: readonly string[]) => (names.length === 0 ? 'none' : names.slice(0, 8).join(', '));
  return [
    ...told(
      context,
      `${name}.kafka`,
      `Kafka of ${name}`,
      kafka,
      ({ topics, groups }) => `topics ${listed(topics)}; groups ${listed(groups)}`,
    ),
    ...told(context, `${name}.objects`, `bucket of ${name}`, objects, ({ folders }) => `folders ${listed(folders)}`),
    ...told(
      context,
      `${name}.flink`,
      `Flink of ${name}`,
      flink,
      (jobs) => `jobs ${listed(jobs.map((job) => job.name))}`,
    ),
  ];
}

/** Tells what was found, and gives what was not as a remark for the file. */
function told<T>(
  { tell }: CommandContext,
  about: string,
  what: string,
  looked: Looked<T>,
  words: (found: T) => string,
): readonly { readonly about: string; readonly remark: string }[] {
  if ('found' in looked) {
    tell(`ok  ${what}: ${words(looked.found)}`);
    return [];
  }
  tell(`??  ${what}: ${looked.failed}`);
  return [{ about, remark: looked.failed }];
}

async function answersFile(path: string | undefined): Promise<Answers> {
  if (path === undefined) return answersShape.parse({});
  const { parse } = await import('yaml');
  try {
    return answersShape.parse(parse(await readFile(path, 'utf8')) ?? {});
  } catch (cause) {
    throw new ArgusError('AnswersInvalid', `${path}: ${describeError(cause)}`, {
      cause,
      hint: 'a YAML mapping with the keys of `argus init --help`, those of a region below primary and standby',
      exitCode: 2,
    });
  }
}

/** Variables that the text refers to. */
function referencesOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !line.trim().startsWith('#'));
  return [
    ...new Set(
      lines.flatMap((line) => [...line.replace(/ #.*$/, '').matchAll(/env:([A-Za-z_]\w*)/g)].map((m) => m[1] ?? '')),
    ),
  ];
}
