import { everyCommand, type TreeCommand, type TreeOption } from './command-tree.ts';

/** Shells that a script can be made for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The script that completes commands and options in a shell; behind an option with a value, files. Pure. */
export function completionScript(tree: TreeCommand, shell: Shell): string {
  const commands = everyCommand(tree);
  return { bash, zsh, fish }[shell](commands);
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const first = (text: string): string => text.split('\n')[0] ?? '';
const key = ({ path }: TreeCommand): string => path.join(' ');

const optionsOf = (command: TreeCommand, root: TreeCommand): readonly TreeOption[] => [
  ...command.options,
  ...(command === root ? [] : root.options.filter(({ names }) => !names.includes('--version'))),
];

/** Words that may follow a command: those below it, its own options, and the program's. */
function following(
  command: TreeCommand,
  root: TreeCommand,
): readonly { readonly word: string; readonly about: string }[] {
  const options = optionsOf(command, root);
  return [
    ...command.commands.map(({ path, description }) => ({ word: path.at(-1) ?? '', about: first(description) })),
    ...options.map(({ names, description }) => ({ word: names.at(-1) ?? '', about: first(description) })),
    { word: '--help', about: 'what it does' },
  ];
}

const withValues = (commands: readonly TreeCommand[]): readonly string[] => [
  ...new Set(commands.flatMap(({ options }) => options.flatMap((o) => (o.takesValue ? o.names : [])))),
];

function bash(commands: readonly TreeCommand[]): string {
  const [root, ...below] = commands as readonly [TreeCommand, ...TreeCommand[]];
  return `# bash completion for argus: source <(argus completion bash)
_argus() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" i
  COMPREPLY=()
  case "$before" in ${withValues(commands).join('|')}) return ;; esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${below.map((command) => quoted(key(command))).join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${commands
  .map(
    (command) =>
      `    ${quoted(key(command))}) words=${quoted(
        following(command, root)
          .map(({ word }) => word)
          .join(' '),
      )} ;;`,
  )
  .join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _argus argus
`;
}

function zsh(commands: readonly TreeCommand[]): string {
  const [root, ...below] = commands as readonly [TreeCommand, ...TreeCommand[]];
  const entry = ({ word, about }: { readonly word: string; readonly about: string }) =>
    quoted(`${word.replaceAll(':', '\\:')}:${about}`);
  return `#compdef argus
# zsh completion for argus: source <(argus completion zsh), or as the file _argus in a folder of $fpath
_argus() {
  local path_='' i
  local -a found
  case "\${words[CURRENT-1]}" in ${withValues(commands).join('|')}) _files; return ;; esac
  for ((i = 2; i < CURRENT; i++)); do
    case "\${path_:+$path_ }\${words[i]}" in
      ${below.map((command) => quoted(key(command))).join('|')}) path_="\${path_:+$path_ }\${words[i]}" ;;
    esac
  done
  case "$path_" in
${commands.map((command) => `    ${quoted(key(command))}) found=(${following(command, root).map(entry).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'argus' found
}
if [ "\${funcstack[1]:-}" = _argus ]; then _argus "$@"; else compdef _argus argus; fi
`;
}

function fish(commands: readonly TreeCommand[]): string {
  const [root, ...below] = commands as readonly [TreeCommand, ...TreeCommand[]];
  const about = (text: string) => `'${first(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => {
    const here = `complete -c argus -n '__argus_at "${key(command)}"'`;
    const options = optionsOf(command, root).flatMap(({ names, takesValue, description }) => {
      const long = names.find((name) => name.startsWith('--'))?.slice(2);
      const short = names.find((name) => /^-[^-]$/.test(name))?.slice(1);
      const named = `${long === undefined ? '' : ` -l ${long}`}${short === undefined ? '' : ` -s ${short}`}`;
      return [`${here}${named}${takesValue ? ' -r -F' : ''} -d ${about(description)}`];
    });
    return [
      ...command.commands.map(({ path, description }) => `${here} -a ${path.at(-1)} -d ${about(description)}`),
      ...options,
    ];
  });
  return `# fish completion for argus: argus completion fish | source
function __argus_at
  set -l path
  for word in (commandline -opc)[2..]
    switch (string join ' ' $path $word)
      case ${below.map((command) => quoted(key(command))).join(' ')}
        set -a path $word
    end
  end
  test "$path" = "$argv[1]"
end
complete -c argus -f
${lines.join('\n')}
`;
}
