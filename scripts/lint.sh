#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What compilers do not check: format, forbidden tokens, licence lines, spelling. Ends with
# `N passed, N failed, N skipped`; exit 1 when a check failed.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0

# What git knows or would add; without git (a tarball) all but build directories.
everything() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . \( -path './.git' -o -path './build*' -o -name __pycache__ \) -prune -o \
			-type f -printf '%P\n'
	fi
}

files() { # files ENDING... : those of the tree that end so
	local e pattern=
	for e in "$@"; do pattern+="${pattern:+|}${e//./\\.}"; done
	everything | grep -E "($pattern)\$" | sort -u | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done
}

verdict() { # verdict NAME FINDINGS
	if [ -z "$2" ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1"
		echo "$2" | head -40 | sed 's/^/        /'
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "skipped $1"
}

# Matches a Perl expression in C code, with comments and strings blanked (or in the whole text with
# raw).
tokens() { # tokens code|raw EXPRESSION FILE...
	local how=$1 expression=$2
	shift 2
	[ $# -gt 0 ] || return 0
	HOW=$how EXPRESSION=$expression perl -0777 -ne '
		if ($ENV{HOW} eq "code") {
			s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*")}
			 {my $gone = $1; $gone =~ s/[^\n]/ /g; $gone}gse;
		}
		my $n = 0;
		for my $line (split /\n/) {
			$n++;
			print "$ARGV:$n: $&\n" if $line =~ /$ENV{EXPRESSION}/;
		}' "$@"
}

# folder regex | how | forbidden; a line that begins with a tab belongs to the one above.
table='
^lib/|code|\b(printf|puts|exit|_exit|abort|rte_exit|rte_panic|strcpy|strcat|sprintf|vsprintf|gets
	|atoi|atol|time)\s*\(|\bvolatile\b
^lib/(numbers|peers|srp|repl|gtp|pdp|pool|session|radius|monitor)/|code
	|\b(clock_gettime|gettimeofday|socket|getenv|rand|random)\s*\(
	|\b(rte_log|RTE_LOG|rte_rdtsc|rte_get_timer_cycles|rte_get_tsc_cycles)\b
^(app|lib)/|raw|\bMUTANT\b
^(app|test)/|code|\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol)\s*\(
^app/tandem/worker/fastpath|code
	|\b(malloc|calloc|realloc|free|rte_malloc|rte_zmalloc|rte_free|printf|fprintf
	|clock_gettime|usleep|pthread_mutex_lock|rte_spinlock_lock)\s*\(|\bRTE_LOG\b
^app/tandem/(reactor|journal|cores|replicator|kernel|worker|signalling|monitors|switchover|pair|
	operator|process)/|code|\b(clock_gettime|gettimeofday)\s*\(
^app/tandem/(cores|reactor|kernel|worker|signalling|monitors|switchover|pair|operator|process)/
	|code
	|\b(rte_rdtsc|rte_get_tsc_hz|rte_eth_[rt]x_burst|rte_z?malloc|rte_free)\b
^app/tandem/(reactor/reactor|signalling/|monitors/|switchover/|pair/|operator/(audit|c|r|show)|
	process/)|code
	|(?<![>\w])(epoll_(create1|ctl|wait|pwait2)|socket|bind|listen|accept4|connect|close
	|[gs]etsockopt|send|recv|sendto|recvfrom|sendmmsg|recvmmsg)\s*\(
^app/tandem/(kernel|signalling|switchover|process|monitors)/|code
	|\bnet_(kernel|vip|pool_route|mirror)_\w+\s*\(
	|\bnet_(cleanup|link_carrier|twin_(from|to))\s*\(
^(app|lib|test)/|raw|\b(TODO|FIXME|XXX|HACK)\b
^(app|lib|test)/|raw|/\*[A-Za-z]
^(app|lib)/|code
	|(?<![A-Za-z])(past|heir|deaf|unfed|fed_from|unheard|untrue|mute|wish|place)(?![A-Za-z])
	|_tell_|_told\b|\btold_
'
table=${table//$'\n\t'/}

[ "$(files .c .h | wc -l)" -gt 100 ] || {
	echo "FAILED  the tree's files are not found: a check of nothing is none"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

check_format() {
	local format
	format=$(scripts/clang.sh format) || {
		skip "clang-format (version 14 is missing)"
		return
	}
	mapfile -t c < <(files .c .h)
	verdict "clang-format" "$([ ${#c[@]} -eq 0 ] ||
		"$format" --dry-run -Werror "${c[@]}" 2>&1 | grep -F error:)"
}

check_tokens() {
	local folder how expression
	while IFS='|' read -r folder how expression; do
		[ -n "$folder" ] || continue
		# The table's own alternatives hold bars: how is the field that says code or raw.
		while [ "$how" != code ] && [ "$how" != raw ]; do
			folder="$folder|$how"
			how=${expression%%|*}
			expression=${expression#*|}
		done
		mapfile -t c < <(files .c .h | grep -E "$folder")
		verdict "forbidden in $folder" "$(tokens "$how" "$expression" "${c[@]}")"
	done <<<"$table"
	mapfile -t c < <(files .py .sh .build | grep -Ev '^scripts/lint.sh$')
	verdict "forbidden in scripts" "$(tokens raw '\b(TODO|FIXME|XXX|HACK)\b' "${c[@]}")"
	mapfile -t c < <(files .py | grep -E '^test/e2e/' | grep -Ev '^test/e2e/lab.py$')
	verdict "e2e waits for events" "$(tokens raw '\bsleep\s*\(' "${c[@]}")"
}

check_licence() {
	mapfile -t c < <(files .c .h .py .sh meson.build)
	# The first line; a script's second, behind the interpreter.
	verdict "SPDX line" "$(comm -23 <(printf '%s\n' "${c[@]}" | sort) \
		<(grep -FHnm 1 'SPDX-License-Identifier: BSD-3-Clause' "${c[@]}" |
			awk -F: '$2 <= 2 { print $1 }' | sort))"
}

check_top() {
	local extra
	extra=$(everything | cut -d/ -f1 | sort -u |
		grep -Ev '^(app|lib|config|scripts|test|meson\.build|README\.md|LICENSE|\..*)$')
	verdict "top level" "$extra"
}

# Every target has one text file with its inputs; no other file of inputs stands beside the code.
check_fuzz() {
	local f targets corpora
	targets=$(files .c | sed -n 's,^test/fuzz/fuzz_\([a-z_]*\)\.c$,\1,p' | sort)
	corpora=$(files .txt | sed -n 's,^test/fuzz/corpus/\([a-z_]*\)\.txt$,\1,p' | sort)
	verdict "fuzz inputs" "$(
		comm -3 <(echo "$targets") <(echo "$corpora") |
			sed 's/^\t/no target: /; t; s/^/no corpus: /'
		everything | grep '^test/fuzz/' | sort -u | while read -r f; do
			[ -f "$f" ] && echo "$f"
		done | grep -Ev -e '^test/fuzz/([a-z_]+\.(c|h|py)|meson\.build|README\.md)$' \
			-e '^test/fuzz/corpus/[a-z_]+\.txt$' |
			sed 's,$,: belongs into the corpus of its target (test/fuzz/README.md),'
	)"
}

check_syntax() {
	local f
	verdict "shell syntax" "$(files .sh | while read -r f; do bash -n "$f" 2>&1; done)"
	mapfile -t c < <(files .py)
	verdict "python syntax" "$(python3 -c '
import ast, sys
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as source:
            ast.parse(source.read(), path)
    except (SyntaxError, ValueError) as wrong:
        print(f"{path}: {wrong}")' "${c[@]}" 2>&1)"
}

check_spelling() {
	command -v codespell >/dev/null || { skip "codespell"; return; }
	# Golden configurations misspell on purpose, fuzz inputs by chance.
	mapfile -t c < <(files .c .h .py .sh .md .conf .build .txt |
		grep -Ev '^test/(golden/config|fuzz/corpus)/')
	verdict "codespell" "$(codespell "${c[@]}" 2>&1 \
		-L 'statics,ue,ues,nd,te,fo,ot,inout,ans,ro,wan,pres,mis,bu,hel')"
}

check_structure() {
	command -v ctags >/dev/null || { skip "structure"; return; }
	local out
	out=$(python3 test/structure.py) && out=
	verdict "structure" "$out"
	out=$(python3 test/structure_test.py 2>&1) && out=
	verdict "what structure refuses" "$out"
}

# Each planted mistake applies to the sources as they are, and a simulator is to find it.
check_mutants() {
	verdict "mutants" "$(python3 test/sim/mutants.py --check 2>&1)"
}

check_citations() {
	mapfile -t c < <(files .c .h .py .sh .build .conf .service .lua .md |
		grep -v '^test/fuzz/corpus/')
	verdict "citations" "$(python3 test/citations.py "${c[@]}" 2>&1)"
}

check_log() {
	mapfile -t c < <(files .c .h | grep '^app/tandem/' | grep -v /log.h)
	verdict "log keys" "$(python3 test/logkeys.py config/guide/log.md "${c[@]}" 2>&1)"
}

check_format
check_structure
check_tokens
check_licence
check_top
check_fuzz
check_syntax
check_spelling
check_mutants
check_citations
check_log
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
