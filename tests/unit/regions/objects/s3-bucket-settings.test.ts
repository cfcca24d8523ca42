import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { BucketSettings } from '../../../../regions/objects/bucket-settings.ts';
import { s3BucketSettings } from '../../../../regions/objects/s3-bucket-settings.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

const refusal = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` });
const versioned = (status: string): Answer => ({
  status: 200,
  body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`,
});
const rules = (...list: readonly string[]): Answer => ({
  status: 200,
  body: `<LifecycleConfiguration>${list.map((rule) => `<Rule>${rule}</Rule>`).join('')}</LifecycleConfiguration>`,
});

/** What is read of a server that gives these answers. */
async function read(versioning: Answer, lifecycle: Answer): Promise<BucketSettings> {
  const server = createServer((request, response) => {
    const { status, body } = request.url?.includes('versioning') ? versioning : lifecycle;
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const access = { endpoint, bucket: 'b', region: 'auto', accessKeyId: 'a', secretAccessKey: 's', pathStyle: true };
    return await s3BucketSettings(access, new AbortController().signal);
  } finally {
    server.close();
  }
}

test('rules that are switched on are read, with what each removes and when', async () => {
  const seen = await read(
    versioned('Enabled'),
    rules(
      '<ID>logs</ID><Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>7</Days></Expiration>',
      '<ID>off</ID><Status>Disabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>1</Days></Expiration>',
      '<ID>old</ID><Status>Enabled</Status><Prefix></Prefix><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>',
    ),
  );
  expect(seen).toEqual({
    versioning: 'on',
    rules: [
      { id: 'logs', prefix: 'logs/', moves: false, expiresAfterDays: 7 },
      { id: 'old', prefix: '', moves: false, oldVersionsAfterDays: 3 },
    ],
  });
});

test('a bucket without rules has none, and so has a store that knows no such thing', async () => {
  const none = { versioning: 'off', rules: [] };
  const empty = { status: 200, body: '<VersioningConfiguration/>' };
  expect(await read(empty, refusal(404, 'NoSuchLifecycleConfiguration'))).toEqual(none);
  expect(await read(refusal(501, 'NotImplemented'), refusal(501, 'NotImplemented'))).toEqual(none);
});

test('settings that may not be read are an error', async () => {
  const denied = refusal(403, 'AccessDenied');
  await expect(read(versioned('Suspended'), denied)).rejects.toMatchObject({ code: 'ObjectStoreDenied' });
});
