import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Acl, aclKey } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';
import { type SecureBroker, startSecureBroker } from '../support/kafka-secure-broker.ts';

let secure: SecureBroker;
let open: TestBroker;
const admins: PlatformaticAdmin[] = [];

beforeAll(async () => {
  [secure, open] = await Promise.all([startSecureBroker({ users: ['nobody'] }), startTestBroker()]);
});
afterAll(async () => {
  await Promise.all(admins.map((a) => a.close()));
  await Promise.all([secure?.broker.stop(), open?.stop()]);
});

function adminAt(address: string): PlatformaticAdmin {
  const admin = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [address] });
  admins.push(admin);
  return admin;
}

const rule: Acl = {
  resourceType: 'topic',
  resourceName: 'orders-',
  patternType: 'prefixed',
  principal: 'User:shop',
  host: '10.0.0.1',
  operation: 'WRITE',
  permission: 'ALLOW',
};
const others: readonly Acl[] = [
  { ...rule, patternType: 'literal' },
  { ...rule, permission: 'DENY' },
  { ...rule, host: '*' },
  { ...rule, resourceType: 'group', operation: 'READ' },
];
const sorted = (acls: readonly Acl[] | undefined) => acls?.map(aclKey).sort();

test('makes, lists and takes away exactly the rules that are named, twice without error', async () => {
  const admin = adminAt(secure.broker.address);
  expect(await admin.listAcls()).toEqual([]);
  await admin.createAcls([rule, ...others]);
  await admin.createAcls([rule]);
  await expect.poll(async () => sorted(await admin.listAcls())).toEqual(sorted([rule, ...others]));
  expect(sorted(await admin.listAcls({ resourceType: 'topic', permission: 'ALLOW' }))).toEqual(
    sorted([rule, ...others.filter((a) => a.resourceType === 'topic' && a.permission === 'ALLOW')]),
  );
  await admin.deleteAcls([rule]);
  await admin.deleteAcls([rule]);
  await expect.poll(async () => sorted(await admin.listAcls())).toEqual(sorted(others));
});

test('says that there is no authorizer, and which right is absent', async () => {
  const admin = adminAt(open.address);
  expect(await admin.listAcls()).toBeUndefined();
  await expect(admin.createAcls([rule])).rejects.toMatchObject({ code: 'KafkaNoAuthorizer' });
  const nobody = new PlatformaticAdmin({ ...secure.endpoint('mumbai', 'nobody'), region: 'mumbai' });
  admins.push(nobody);
  await expect(nobody.listAcls()).rejects.toMatchObject({
    code: 'KafkaDenied',
    message: expect.stringMatching(/the principal needs DESCRIBE \(ALTER implies it\) on the cluster$/),
  });
  await expect(nobody.createAcls([rule])).rejects.toMatchObject({
    message: expect.stringMatching(/needs ALTER on the cluster$/),
  });
});
