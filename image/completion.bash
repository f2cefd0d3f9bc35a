# SPDX-License-Identifier: MIT
# Completion of inorder-image's words in bash. They are read from its help, so none is missing.

_inorder_image() {
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} commands=' ls cat unpack diff check install uninstall status build ' words
	COMPREPLY=()
	case $before in
	--compress | -c) words='none lz4 zstd gzip xz' ;;
	--microcode) words='no host all' ;;
	--tree | -t) words=$(compgen -d -- "${cur:-/lib/modules/}") ;;
	--add-module | -m)
		words=$(find "/lib/modules/$(uname -r)" -name '*.ko*' -printf '%f\n' 2>/dev/null | sed 's/\.ko.*//; s/-/_/g')
		;;
	--cmdline | --append) return ;;
	*)
		if [[ $cur == -* ]]; then
			case ${COMP_WORDS[1]} in
			ls | diff) words=--json ;;
			check) words='--cmdline --json --sysroot --tree' ;;
			install) words='--try --default --append' ;;
			cat | unpack | uninstall | status) ;;
			*) words=$("${COMP_WORDS[0]}" --help | grep -o -e '--[a-z][a-z-]*' | grep -vx -e --try -e --default -e --append -e --json) ;;
			esac
		elif [[ $COMP_CWORD == 1 ]]; then
			words=$commands
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur" | sort -u)
}

complete -o filenames -F _inorder_image inorder-image
