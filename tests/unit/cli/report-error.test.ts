import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../cli/config/parse.ts';
import { reportError } from '../../../cli/report-error.ts';
import { ArgusError } from '../../../domain/errors.ts';

const plain = { json: false, verbose: false };

describe('reportError', () => {
  it.each([
    ['an unexpected error is a failure', new Error('boom'), 1],
    ['a text that was thrown is a failure', 'boom', 1],
    ['an error of argus without exit code is a failure', new ArgusError('X', 'boom'), 1],
    ['bad input is 2', new ArgusError('X', 'boom', { exitCode: 2 }), 2],
    ['a refusal is 3', new ArgusError('X', 'boom', { exitCode: 3 }), 3],
    ['what needs a person is 4', new ArgusError('X', 'boom', { exitCode: 4 }), 4],
  ] as const)('%s', (_rule, error, exitCode) => {
    const report = reportError(error, plain);
    expect(report.exitCode).toBe(exitCode);
    expect(report.text).toMatch(/^error: boom\n/);
  });

  it('prints the message, then what to do next', () => {
    const error = new ArgusError('KafkaUnreachable', 'Kafka of "singapore" does not answer', { hint: 'start it' });
    expect(reportError(error, plain).text).toBe('error: Kafka of "singapore" does not answer\nhint: start it\n');
  });

  it('shows no stack unless asked', () => {
    expect(reportError(new Error('boom'), plain).text).not.toContain('at ');
    expect(reportError(new Error('boom'), { json: false, verbose: true }).text).toContain('report-error.test.ts');
  });

  it('gives every issue of a configuration its own line, and in JSON its position', () => {
    const error = new ConfigError('argus.yaml', [
      { line: 2, column: 3, path: 'a', message: 'first' },
      { line: 4, column: 1, path: 'b', message: 'second' },
    ]);
    expect(reportError(error, plain).text).toMatch(
      /^error: argus\.yaml:2:3: first\nerror: argus\.yaml:4:1: second\nhint: /,
    );
    const { error: json } = JSON.parse(reportError(error, { json: true, verbose: false }).text);
    expect(json).toMatchObject({
      code: 'ConfigInvalid',
      exitCode: 2,
      issues: [
        { line: 2, column: 3 },
        { line: 4, column: 1 },
      ],
    });
  });
});
