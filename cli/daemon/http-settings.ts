import { readFile } from 'node:fs/promises';
import { isLoopback } from '../../daemon/http/access.ts';
import type { HttpSettings } from '../../daemon/http/server.ts';
import type { Config } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { pathFrom, resolveSecret } from '../config/load.ts';

/** `daemon.http` with its secrets resolved and its files read: what is missing ends the command before it does anything. */
export async function httpSettings(
  { host, http }: Config['daemon'],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<HttpSettings> {
  const resolve = (references: readonly string[]) =>
    Promise.all(references.map((reference) => resolveSecret(reference, folder, env)));
  const { tokens, tls, plaintext } = http;
  const [readTokens, actTokens] = await Promise.all([resolve(tokens.read), resolve(tokens.act)]);
  return {
    access: {
      readTokens,
      actTokens,
      clientCertificates: tls?.clientCa !== undefined,
      readableOnTheWay: tls === undefined && !plaintext && !isLoopback(host),
      ...(tls?.clientNames && { clientNames: tls.clientNames }),
    },
    ...(tls && {
      tls: {
        cert: await pem(pathFrom(folder, tls.cert), 'cert'),
        key: await resolveSecret(tls.key, folder, env),
        ...(tls.clientCa === undefined ? {} : { ca: await pem(pathFrom(folder, tls.clientCa), 'clientCa') }),
      },
    }),
  };
}

async function pem(path: string, key: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw wrong(key, `the file ${path} can't be read (${cause.code ?? 'error'})`, cause);
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw wrong(key, `the file ${path} holds no certificate`);
  return text;
}

function wrong(key: string, what: string, cause?: unknown): ArgusError {
  return new ArgusError('ConfigError', `daemon.http.tls.${key}: ${what}`, {
    cause,
    exitCode: 2,
    hint: 'name a PEM file: it holds -----BEGIN CERTIFICATE-----',
  });
}
