import { everyCommand, type TreeCommand, type TreeOption } from './command-tree.ts';

/** The page `argus(1)` as roff, for man. Source: man-pages(7), groff_man(7). Pure. */
export function manPage(tree: TreeCommand, version: string): string {
  const commands = everyCommand(tree).filter(({ acts }) => acts);
  return `${[
    `.TH ARGUS 1 "" "argus ${roff(version)}" "Argus"`,
    '.SH NAME',
    'argus \\- disaster recovery for Kafka and Flink',
    '.SH SYNOPSIS',
    '.B argus',
    '[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]',
    '.SH DESCRIPTION',
    line(tree.description),
    '.SH OPTIONS',
    ...tree.options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...exits.flatMap(([code, about]) => ['.TP', `.B ${code}`, line(about)]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B ARGUS_CONFIG',
    'The configuration, where \\-\\-config does not name it.',
    '.TP',
    '.B NO_COLOR',
    'No colours.',
    '.SH FILES',
    '.TP',
    '.I argus.yaml',
    'The configuration in the working directory.',
    ...(tree.examples.length > 0 ? ['.SH EXAMPLES', ...exampleLines(tree.examples)] : []),
  ].join('\n')}\n`;
}

const exits: readonly (readonly [number, string])[] = [
  [0, 'Done.'],
  [1, 'Failed.'],
  [2, 'Usage or configuration: nothing was changed.'],
  [3, 'Refused by a safety check.'],
  [4, 'Needs a person.'],
];

function commandLines({ path, description, arguments: args, options, examples }: TreeCommand): readonly string[] {
  return [
    `.SS argus ${roff([...path, ...args].join(' '))}`,
    line(description),
    ...options.flatMap(optionLines),
    ...exampleLines(examples),
  ];
}

const optionLines = ({ flags, description }: TreeOption): readonly string[] => [
  '.TP',
  `.B ${roff(flags)}`,
  line(description === '' ? flags : description),
];

const exampleLines = (examples: readonly string[]): readonly string[] =>
  examples.length === 0 ? [] : ['.PP', '.nf', ...examples.map((example) => `    ${roff(example)}`), '.fi'];

/** Text inside a line. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll('…', '...')
    .replaceAll(/[\s\n]+/g, ' ');

/** A line of its own: a dot or an apostrophe at its beginning is no request. */
const line = (text: string): string => roff(text).replace(/^([.'])/, '\\&$1');
