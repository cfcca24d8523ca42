import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { asksForJson, usageError } from '../../../cli/usage-error.ts';

const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const argus = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('a wrong call', () => {
  it.each([
    ["error: unknown option '--nope'\n\n(see --help)\n", "unknown option '--nope'"],
    ['Usage: argus [options] [command]\n', 'a command is needed'],
  ])('is told by its first line: %j', (written, message) => {
    expect(usageError(written)).toMatchObject({ code: 'Usage', message, exitCode: 2 });
  });

  it('asks for JSON wherever the flag stands, but not behind --', () => {
    expect(asksForJson(['failover', '--nope', '--json'])).toBe(true);
    expect(asksForJson(['--json', 'nope'])).toBe(true);
    expect(asksForJson(['runs', 'show', '--', '--json'])).toBe(false);
  });

  it.each([
    [['--json', 'nope'], /unknown command 'nope'/],
    [['--json', 'failover', '--nope'], /unknown option '--nope'/],
    [['--json', 'failover', '--outage-at', 'yesterday'], /an instant like/],
    [['--json', 'runs', 'show'], /missing required argument/],
    [['--json'], /a command is needed/],
  ])('ends with 2 and one line of JSON: %j', (args, message) => {
    const { status, stdout, stderr } = argus(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'Usage', message: expect.stringMatching(message), exitCode: 2, retryable: false },
    });
  });

  it('is told in words without --json', () => {
    expect(argus('nope')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^error: unknown command 'nope'/) });
  });
});
