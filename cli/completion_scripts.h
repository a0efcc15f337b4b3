// What a shell is told: to ask `weir __complete` (cli/completion.h) and to offer what it answers.
#pragma once

#include <string_view>

namespace weir::cli {

inline constexpr std::string_view kBashCompletion = R"script(# bash completion for weir
_weir() {
  local current=${COMP_WORDS[COMP_CWORD]} candidate more
  case $current in =|:) current= ;; esac
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files)
        compopt -o filenames 2>/dev/null
        mapfile -t more < <(compgen -f -- "$current")
        COMPREPLY+=("${more[@]}") ;;
      :commands)
        mapfile -t more < <(compgen -c -- "$current")
        COMPREPLY+=("${more[@]}") ;;
      *) COMPREPLY+=("$candidate") ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _weir weir
)script";

inline constexpr std::string_view kZshCompletion = R"script(#compdef weir
_weir() {
  local -a described
  local line files commands
  while IFS= read -r line; do
    case $line in
      :files) files=1 ;;
      :commands) commands=1 ;;
      *) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
    esac
  done < <(${~words[1]} __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#described )) && _describe -V weir described
  [[ -n $files ]] && _files
  [[ -n $commands ]] && _command_names
}
if [ "$funcstack[1]" = _weir ]; then _weir "$@"; else compdef _weir weir; fi
)script";

inline constexpr std::string_view kFishCompletion = R"script(# fish completion for weir
function __weir_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  for line in ($program __complete fish $words "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :commands
        __fish_complete_command
      case '*'
        echo $line
    end
  end
end
complete -c weir -f -a '(__weir_complete)'
)script";

}  // namespace weir::cli
