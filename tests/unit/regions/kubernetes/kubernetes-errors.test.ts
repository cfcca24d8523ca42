import { expect, test } from 'vitest';
import {
  answerError,
  forbiddenError,
  invalidApplyError,
  KubernetesAnswerError,
  kindMissingError,
  noAnswerError,
} from '../../../../regions/kubernetes/kubernetes-errors.ts';

const where = {
  region: 'mumbai',
  server: 'https://10.0.0.1:6443',
  verb: 'patch',
  resource: { group: 'flink.apache.org', plural: 'flinkdeployments' },
  namespace: 'argus-data',
  name: 'argus-flink',
};
const status = (code: number, reason: string, message: string, details?: object) => ({
  ...where,
  status: code,
  text: JSON.stringify({ kind: 'Status', status: 'Failure', message, reason, details, code }),
});
const page = (code: number, text: string) => ({ ...where, status: code, text });

test.each([
  [status(401, 'Unauthorized', 'Unauthorized'), 'KubernetesUnauthenticated', false],
  [status(403, 'Forbidden', 'is forbidden'), 'KubernetesForbidden', false],
  [status(404, 'NotFound', 'x', { name: 'argus-flink', kind: 'flinkdeployments' }), 'KubernetesObjectMissing', false],
  [status(404, 'NotFound', 'x', { name: 'argus-data', kind: 'namespaces' }), 'KubernetesNamespaceMissing', false],
  [status(404, 'NotFound', 'the server could not find the requested resource', {}), 'KubernetesKindMissing', false],
  [page(404, '404 page not found\n'), 'KubernetesKindMissing', false],
  [status(409, 'AlreadyExists', 'already exists'), 'KubernetesExists', false],
  [status(409, 'Conflict', 'the object has been modified'), 'KubernetesConflict', false],
  [status(410, 'Expired', 'too old resource version'), 'KubernetesExpired', true],
  [status(429, 'TooManyRequests', 'storage is initializing'), 'KubernetesRefused', true],
  [page(429, ''), 'KubernetesRefused', true],
  [status(400, 'BadRequest', 'strict decoding error: unknown field "spec.nope"'), 'KubernetesInvalid', false],
  [status(422, 'Invalid', 'is invalid'), 'KubernetesInvalid', false],
  [status(500, 'InternalError', 'etcdserver: leader changed'), 'KubernetesRefused', true],
  [status(503, 'ServiceUnavailable', 'x'), 'KubernetesRefused', true],
  [page(200, '<html>Sign in</html>'), 'KubernetesRefused', false],
  [page(502, 'Bad Gateway'), 'KubernetesRefused', true],
])('$status $text is $1', (answer, code, retryable) => {
  expect(answerError(answer)).toMatchObject({ code, retryable });
});

test('an invalid object names each field that is wrong', () => {
  const causes = [
    { reason: 'FieldValueNotSupported', message: 'Unsupported value: "v9_9"', field: 'spec.flinkVersion' },
    { reason: 'FieldValueTypeInvalid', message: 'must be of type integer', field: 'spec.job.parallelism' },
  ];
  const { message } = answerError(status(422, 'Invalid', 'is invalid', { causes }));
  expect(message).toBe(
    'patch flinkdeployments.flink.apache.org argus-data/argus-flink: Kubernetes of mumbai refuses the object: spec.flinkVersion: Unsupported value: "v9_9"; spec.job.parallelism: must be of type integer',
  );
});

test.each([
  // As Kubernetes 1.36.3 answered.
  [
    'failed to create typed patch object (default/bad; flink.apache.org/v1beta1, Kind=FlinkDeployment): errors:\n  .spec.job.savepointRedeployNonce: field not declared in schema\n  .spec.nope: field not declared in schema',
    'spec.job.savepointRedeployNonce: field not declared in schema; spec.nope: field not declared in schema',
  ],
  [
    'failed to create typed patch object (default/bad; flink.apache.org/v1beta1, Kind=FlinkDeployment): .spec.job.parallelism: expected numeric (int or float), got string',
    'spec.job.parallelism: expected numeric (int or float), got string',
  ],
])('an apply that was answered with 500 names the fields: %s', (told, fields) => {
  const refusal = answerError(status(400, 'BadRequest', 'strict decoding error'));
  const purpose = { ...where, title: 'apply' };
  const error = invalidApplyError(purpose, new KubernetesAnswerError(500, '', told), refusal);
  expect(error).toMatchObject({
    code: 'KubernetesInvalid',
    message: `apply flinkdeployments.flink.apache.org argus-data/argus-flink: Kubernetes of mumbai refuses the object: ${fields}`,
  });
  expect(invalidApplyError(purpose, new KubernetesAnswerError(500, '', 'something else'), refusal)).toBe(refusal);
});

test('the object that the server repeats is not told: it may hold a secret', () => {
  const object = JSON.stringify({ data: { password: 'SECRET', more: 'x'.repeat(80) }, nope: 1 });
  const message = `Invalid value: ${JSON.stringify(object)}: strict decoding error: unknown field "spec.nope"`;
  const causes = [{ reason: 'FieldValueInvalid', field: 'patch', message }];
  const error = answerError(status(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes }));
  expect(error.message).toContain('refuses the object: strict decoding error: unknown field "spec.nope"');
  expect(`${error.message}${(error.cause as KubernetesAnswerError).told}`).not.toContain('SECRET');
});

test('what stands between two short quotes stays', () => {
  const message = `"v1beta1" ${'word '.repeat(20)}"spec.nope", unknown field "spec.other"`;
  expect(answerError(status(400, 'BadRequest', message)).message).toContain(message);
});

test('a bad question is no bad object', () => {
  expect(answerError({ ...status(400, 'BadRequest', 'unable to parse'), verb: 'list' }).code).toBe('KubernetesRefused');
});

test('what is forbidden is named with verb, resource and namespace, and how to ask again', () => {
  const log = { ...where, verb: 'get', resource: { group: '', plural: 'pods', subresource: 'log' }, name: 'a' };
  expect(forbiddenError(where, undefined)).toMatchObject({
    code: 'KubernetesForbidden',
    message: expect.stringContaining(
      'does not allow Argus to patch flinkdeployments.flink.apache.org in the namespace argus-data',
    ),
    hint: expect.stringContaining('kubectl auth can-i patch flinkdeployments.flink.apache.org -n argus-data'),
  });
  expect(forbiddenError(log, undefined).hint).toContain('kubectl auth can-i get pods --subresource=log -n argus-data');
  expect(forbiddenError({ ...where, namespace: undefined }, undefined).message).toContain('in the whole cluster');
});

const wanted = { apiVersion: 'flink.apache.org/v1beta1', kind: 'FlinkDeployment' };
test.each([
  [[], 'nothing of the group flink.apache.org is installed there'],
  [['flink.apache.org/v1'], 'has the group flink.apache.org only as flink.apache.org/v1, not flink.apache.org/v1beta1'],
  [['flink.apache.org/v1beta1'], 'has no FlinkDeployment in flink.apache.org/v1beta1'],
])('a kind that is missing where %j is served: %s', (served, text) => {
  const error = kindMissingError('mumbai', wanted, served);
  expect(error.message).toContain(text);
  expect(error.hint).toContain('Flink Kubernetes Operator');
});

const failed = (cause: unknown) => noAnswerError({ ...where, timeoutMs: 10_000, cause });
const coded = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
test.each([
  [coded('ECONNREFUSED'), 'KubernetesUnreachable', "can't be reached (ECONNREFUSED)"],
  [new TypeError('fetch failed'), 'KubernetesUnreachable', "can't be reached"],
  [new DOMException('too late', 'TimeoutError'), 'KubernetesUnreachable', 'did not answer within 10 s'],
  [coded('UND_ERR_CONNECT_TIMEOUT'), 'KubernetesUnreachable', 'did not answer within 10 s'],
  [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'KubernetesUntrusted', 'a certificate that is not trusted'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'KubernetesUntrusted', 'a certificate that is not trusted'],
])('without an answer: %s is %s', (cause, code, text) => {
  const error = failed(cause);
  expect(error).toMatchObject({ code, retryable: code === 'KubernetesUnreachable' });
  expect(error.message).toContain(text);
});
