/**
 * Completion scripts for bash, zsh and fish. They hold the whole table, so that a press of
 * the tab key starts no process. Paths are left to the shell's own completion.
 */
import type { CommandDescription, FlagDescription } from './describe.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, all: readonly CommandDescription[]): string {
  const commands = all.filter((command) => !command.hidden);
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

/** In single quotes for any of the three shells. */
function quote(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

function flagWords(flag: FlagDescription): string[] {
  const words = [`--${flag.name}`];
  if (flag.allowNo === true) words.push(`--no-${flag.name}`);
  if (flag.char !== undefined) words.push(`-${flag.char}`);
  return words;
}

/** First words, each with its second words. */
function tree(commands: readonly CommandDescription[]): Map<string, CommandDescription[]> {
  const topics = new Map<string, CommandDescription[]>();
  for (const command of commands) {
    const [first = ''] = command.id.split(' ');
    topics.set(first, [...(topics.get(first) ?? []), command]);
  }
  return topics;
}

function secondWords(commands: readonly CommandDescription[]): string[] {
  return commands.map(({ id }) => id.split(' ')[1] ?? '').filter((word) => word !== '');
}

function bashScript(commands: readonly CommandDescription[]): string {
  const topics = tree(commands);
  const lines: string[] = [];
  for (const [first, members] of topics) {
    const seconds = secondWords(members);
    if (seconds.length > 0) {
      lines.push(`    ${quote(first)}) words=${quote(seconds.join(' '))} ;;`);
    }
  }
  const flags = commands.map(
    (command) =>
      `    ${quote(command.id)}) flags=${quote(command.flags.flatMap(flagWords).join(' '))} ;;`,
  );
  const values = commands.flatMap((command) => [
    ...command.flags
      .filter((flag) => flag.options !== undefined)
      .map(
        (flag) =>
          `    ${quote(`${command.id} --${flag.name}`)}) words=${quote((flag.options ?? []).join(' '))} ;;`,
      ),
  ]);
  const operands = commands.flatMap((command) =>
    command.args
      .slice(0, 1)
      .filter((arg) => arg.options !== undefined)
      .map((arg) => `    ${quote(command.id)}) words=${quote((arg.options ?? []).join(' '))} ;;`),
  );
  return `# bash completion for wn
_wn() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local first='' second='' words='' flags='' index=1
  while [ "$index" -lt "$COMP_CWORD" ]; do
    case "\${COMP_WORDS[index]}" in
      -C|--directory|--lock-timeout) index=$((index + 1)) ;;
      -*) ;;
      *)
        if [ -z "$first" ]; then first="\${COMP_WORDS[index]}"
        elif [ -z "$second" ]; then second="\${COMP_WORDS[index]}"; fi ;;
    esac
    index=$((index + 1))
  done
  COMPREPLY=()
  if [ -z "$first" ]; then
    COMPREPLY=($(compgen -W ${quote([...topics.keys()].join(' '))} -- "$current"))
    return
  fi
  local command="$first"
  case "$first" in
${lines.join('\n')}
  esac
  if [ -n "$words" ]; then
    if [ -z "$second" ]; then
      COMPREPLY=($(compgen -W "$words" -- "$current"))
      return
    fi
    case " $words " in *" $second "*) command="$first $second" ;; esac
    words=''
  fi
  case "$command $previous" in
${values.join('\n')}
  esac
  case "$command" in
${flags.join('\n')}
  esac
  if [ -z "$words" ]; then
    case "$current" in
      -*) words="$flags" ;;
      *)
        case "$command" in
${operands.join('\n')}
        esac ;;
    esac
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _wn wn
`;
}

function zshFlag(flag: FlagDescription): string[] {
  const text = (flag.description ?? '').replace(/[\][:\\]/g, '\\$&');
  const value =
    flag.type === 'boolean'
      ? ''
      : `:${flag.helpValue ?? flag.name}:${
          flag.options === undefined ? '_files' : `(${flag.options.join(' ')})`
        }`;
  const repeat = flag.multiple === true ? '*' : '';
  return flagWords(flag).map((word) => quote(`${repeat}${word}[${text}]${value}`));
}

function zshScript(commands: readonly CommandDescription[]): string {
  const topics = tree(commands);
  const listed = [...topics].map(([first, members]) => {
    const own = members.find(({ id }) => id === first);
    return `    ${quote(`${first}:${own?.summary ?? secondWords(members).join(', ')}`)}`;
  });
  const seconds = [...topics]
    .filter(([, members]) => secondWords(members).length > 0)
    .map(
      ([first, members]) => `      ${quote(first)}) seconds=(${secondWords(members).join(' ')}) ;;`,
    );
  const cases = commands.map((command) => {
    const operand = command.args[0]?.options;
    const rest = operand === undefined ? '*:file:_files' : `1:value:(${operand.join(' ')})`;
    const parts = [...command.flags.flatMap(zshFlag), quote(rest)];
    return `      ${quote(command.id)}) _arguments -s ${parts.join(' \\\n        ')} ;;`;
  });
  return `#compdef wn
_wn() {
  local -a commands seconds
  local command
  commands=(
${listed.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  command="$words[2]"
  case "$command" in
${seconds.join('\n')}
  esac
  if (( $#seconds )); then
    if (( CURRENT == 3 )); then
      compadd -- $seconds
      return
    fi
    if (( $seconds[(Ie)$words[3]] )); then
      command="$command $words[3]"
      shift words
      (( CURRENT-- ))
    fi
  fi
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _wn wn
`;
}

function fishScript(commands: readonly CommandDescription[]): string {
  const topics = tree(commands);
  const lines: string[] = ['# fish completion for wn', 'complete -c wn -e'];
  for (const [first, members] of topics) {
    const own = members.find(({ id }) => id === first);
    const text = quote(own?.summary ?? secondWords(members).join(', '));
    lines.push(`complete -c wn -n __fish_use_subcommand -f -a ${first} -d ${text}`);
    for (const word of secondWords(members)) {
      const member = members.find(({ id }) => id === `${first} ${word}`);
      lines.push(
        `complete -c wn -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ` +
          `${secondWords(members).join(' ')}' -f -a ${word} -d ${quote(member?.summary ?? '')}`,
      );
    }
  }
  for (const command of commands) {
    const condition = quote(
      command.id
        .split(' ')
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join('; and '),
    );
    for (const flag of command.flags) {
      const parts = [`complete -c wn -n ${condition} -l ${flag.name}`];
      if (flag.char !== undefined) parts.push(`-s ${flag.char}`);
      if (flag.type === 'option') parts.push('-r');
      if (flag.options !== undefined) parts.push(`-f -a ${quote(flag.options.join(' '))}`);
      lines.push(`${parts.join(' ')} -d ${quote(flag.description ?? '')}`);
    }
    const operand = command.args[0]?.options;
    if (operand !== undefined) {
      lines.push(`complete -c wn -n ${condition} -f -a ${quote(operand.join(' '))}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
