import { expect, it } from 'vitest';
import { withoutAPerson } from '../../../cli/daemon/without-a-person.ts';
import { isBackground } from '../../../cli/foreground.ts';
import { openContext } from '../../../cli/open-context.ts';
import { type Screen, screenOf, tellerBy } from '../../../cli/screen.ts';

const stderr = { isTTY: true, fd: 2, columns: 100, rows: 40, on: () => undefined, off: () => undefined };
const stdin = { isTTY: true };
const terminal = (env: NodeJS.ProcessEnv) => ({ env, stdin, stderr }) as unknown as NodeJS.Process;
const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, setLevel: nothing };
const lines = { json: false, plain: false };

it('draws nothing where a daemon carries a command out, also one that was started at a terminal', async () => {
  const context = { ...(await openContext({})), screen: {} as Screen };
  const own = withoutAPerson(context, log, 'daemon', context.signal);
  expect(own.screen).toBeUndefined();
  expect(own.interactive).toBe(false);
});

it.each([
  ['with --json', {}, { ...lines, json: true }, false],
  ['with --plain', {}, { ...lines, plain: true }, false],
  ['on a terminal that can do nothing', { TERM: 'dumb' }, lines, false],
  ['at a terminal', { TERM: 'xterm' }, lines, true],
])('draws as it may %s', (_, env, options, draws) => {
  const teller = tellerBy(() => undefined);
  expect(screenOf(terminal(env), teller, options, () => true) !== undefined).toBe(draws);
});

it('draws nothing in the background: who sets the terminal there is stopped', () => {
  const teller = tellerBy(() => undefined);
  expect(screenOf(terminal({ TERM: 'xterm' }), teller, lines, () => false)).toBeUndefined();
});

it.each([
  ['the terminal is its own', '70 (node) S 60 70 60 34816 70 4194304', false],
  ['the terminal is another’s', '70 (node) S 60 70 60 34816 60 4194304', true],
  ['there is no terminal', '70 (node) S 60 70 60 0 -1 4194304', false],
  ['its name looks like more fields', '70 (a) S 1 2 (b) S 60 70 60 34816 60 4194304', true],
  ['nothing can be read', '', false],
])('knows whether it is in the background where %s', (_, stat, background) => {
  expect(isBackground(stat)).toBe(background);
});

it('has no colours with NO_COLOR', () => {
  const teller = tellerBy(() => undefined);
  expect(screenOf(terminal({ NO_COLOR: '1' }), teller, lines, () => true)?.colours).toBe(false);
  expect(screenOf(terminal({}), teller, lines, () => true)?.colours).toBe(true);
});

it('keeps what is told while something is drawn, and tells again afterwards', () => {
  const told: string[] = [];
  const kept: string[] = [];
  const teller = tellerBy((text) => void told.push(text));
  const release = teller.divert((text) => void kept.push(text));
  teller.tell('meanwhile');
  release();
  teller.tell('after');
  expect([told, kept]).toEqual([['after\n'], ['meanwhile']]);
});
