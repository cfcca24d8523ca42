import { expect, test } from 'vitest';
import { describePrerequisite, isAtLeast, type Prerequisite } from '../../../../lab/setup/prerequisites.mjs';

test.each([
  ['17', '17', true],
  ['17.0.15', '17', true],
  ['1.8.0_402', '17', false],
  ['1.9', '1.25', false],
  ['1.25rc1', '1.25', true],
  ['3.6.3', '3.6.3', true],
  ['3.6.2', '3.6.3', false],
  ['4', '3.6.3', true],
])('version %s is at least %s: %s', (version, wanted, expected) => {
  expect(isAtLeast(version, wanted)).toBe(expected);
});

const go: Prerequisite = {
  id: 'go',
  name: 'Go',
  needed: '1.25',
  why: 'it builds versitygw',
  ok: false,
  install: { debian: 'apt-get it', macos: 'brew it' },
};

test('an absent tool comes with the command for this kind of machine, a present one with its version', () => {
  expect(describePrerequisite(go, 'linux')).toBe(
    'Go: not found; needed is 1.25 (it builds versitygw)\n  Debian, Ubuntu: apt-get it',
  );
  expect(describePrerequisite(go, 'darwin')).toContain('macOS: brew it');
  expect(describePrerequisite({ ...go, found: '1.19' }, 'linux')).toContain('found 1.19');
  expect(describePrerequisite({ ...go, found: '1.26', ok: true })).toBe('Go 1.26');
});
