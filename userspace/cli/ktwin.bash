# SPDX-License-Identifier: GPL-2.0-only
# Completion of ktwin for bash: commands, options, columns, namespaces, pids, files. All but pids and files comes from the program itself.

# The options in a help text; those that take something are told by the upper-case word behind them.
_ktwin_options() {
	sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr ',' '\n'
}

_ktwin_commands() {
	sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# Columns after a comma or a leading + as well.
_ktwin_columns() {
	local prefix=''
	case $cur in
	*,*) prefix=${cur%,*}, ;;
	+*) prefix=+ ;;
	esac
	local columns
	columns=$("$1" "${words[@]}" --list-columns -n -r 2>/dev/null | cut -d' ' -f1)
	case ${cur#"$prefix"} in
	[a-z]*) columns=${columns,,} ;;
	esac
	compopt -o nospace # a comma may follow
	mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$columns" -- "${cur#"$prefix"}")
}

_ktwin() {
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local word skip='' words=() candidates

	# The command words so far, to ask its help.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $skip$word in
		--device | --lockstep) skip=1 ;;
		-*) ;;
		1*) skip='' ;;
		status | ns | pid | pids | audit | mirror | trace | wait | rq | queue | demo | herd | switches | lab | run | show | backends | inject | compare | on | off | resync | drop | add | swap | skip | nomem)
			words+=("$word") ;;
		esac
	done

	COMPREPLY=()
	case $previous in
	-o | --svg)
		# A timeline goes to a file; everywhere else -o has columns.
		if [[ $previous = --svg || " ${COMP_WORDS[*]} " = *' trace '*' --seconds '* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		else
			_ktwin_columns "$1"
		fi
		return ;;
	--output)
		_ktwin_columns "$1"
		return ;;
	--ns)
		# Those of a lab are not there yet.
		if [[ " ${words[*]} " = ' lab '* ]]; then return; fi
		mapfile -t COMPREPLY < <(compgen -W "$("$1" ns -l -n -r -o NS 2>/dev/null)" -- "$cur")
		return ;;
	--device | --proc)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--lockstep)
		mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur")
		return ;;
	--backend)
		case " ${words[*]} " in
		' lab demo ') candidates='all twin blocks pidmap idr xarray ida sbitmap' ;;
		' lab '*) candidates='twin blocks pidmap idr xarray ida sbitmap' ;;
		*) candidates='twin kernel' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$cur")
		return ;;
	--task)
		mapfile -t COMPREPLY < <(cd /proc && compgen -G "${cur:-[0-9]}*")
		return ;;
	--sleepers | --wake | --hold | --count | --seconds | --capacity | --interval | --batch | --cpu | --ops | --levels | --pid-max | --seed | --limit | --pids | --namespaces | --tasks | --bytes)
		return ;;
	esac

	local help
	help=$("$1" "${words[@]}" --help 2>/dev/null)
	case $cur in
	-*) candidates=$(_ktwin_options <<<"$help") ;;
	*)
		candidates=$(_ktwin_commands <<<"$help")
		case "${words[*]}" in
		'lab run' | 'lab show')
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return ;;
		esac
		case ${words[*]} in
		pid | wait) candidates=$(cd /proc && compgen -G '[0-9]*') ;;
		rq) candidates=$(cd /sys/devices/system/cpu && printf '%s\n' cpu[0-9]* | sed 's/^cpu//') ;;
		esac ;;
	esac
	# PID:FD comes as three words, for a colon ends one: the files are those of the word before it.
	if [ "${words[*]}" = wait ] && [[ $COMP_LINE =~ [[:space:]]([0-9]+):([0-9]*)$ ]]; then
		candidates=$(cd "/proc/${BASH_REMATCH[1]}/fd" 2>/dev/null && compgen -G '[0-9]*')
		cur=${BASH_REMATCH[2]}
	fi
	mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$cur")
}

complete -F _ktwin ktwin
