#!/usr/bin/env bash
# Installs what the tests need, builds, checks the format and runs all tests, fast projects first.
#
#   ./test.sh               everything
#   ./test.sh LNet          the test projects whose name contains "lnet"
#   ./test.sh NidTests      no project is called so: the tests whose full name contains it
#   ./test.sh LNet NidTests both
#
# The last line is 'N passed, N failed[, N skipped]'. Logs and results are in artifacts/tests.
set -uo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd "$root" || exit 1
exec </dev/null
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1

artifacts=${NACRE_ARTIFACTS:-$root/artifacts}
results=$artifacts/tests
solution=Nacre.slnx
# command or file:Debian package
needed=(tshark:tshark fusermount3:fuse3 sqlite3:sqlite3 /usr/bin/aws:awscli /usr/lib/python3/dist-packages/boto3:python3-boto3)
# A project not listed runs after these; the end-to-end tests come last.
fast_first=(Nacre.LNet.Tests Nacre.PtlRpc.Tests Nacre.Ldlm.Tests Nacre.Client.Tests Nacre.Fuse.Tests Nacre.Server.Tests)
last=Nacre.EndToEnd.Tests

passed=0 failed=0 skipped=0

say() { printf '== %s\n' "$*"; }

# Ends the run; $1, when given, is a failure that no test counted.
finish() {
    if [[ -n ${1:-} ]]; then
        printf 'error: %s\n' "$1"
        failed=$((failed + 1))
    elif ((passed + failed == 0)); then
        echo 'error: no test ran'
        failed=1
    fi
    local line="$passed passed, $failed failed"
    ((skipped == 0)) || line+=", $skipped skipped"
    echo "$line"
    ((failed == 0))
    exit
}

install_packages() {
    local entry missing=()
    for entry in "${needed[@]}"; do
        [[ -e ${entry%%:*} ]] || command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
    done
    ((${#missing[@]} == 0)) && return
    if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
        finish "not installed: ${missing[*]} (as root on Debian this script installs them; here, please do it by hand)"
    fi
    say "installing ${missing[*]}"
    local log=$results/apt.log
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log"
        finish "could not install ${missing[*]} (log: $log)"
    fi
}

# Runs a step quietly; its output is shown only when it fails.
step() {
    local name=$1 log=$results/$2.log started=$SECONDS
    shift 2
    if ! "$@" >"$log" 2>&1; then
        tail -n 60 "$log"
        finish "$name failed (log: $log)"
    fi
    say "$name: $((SECONDS - started)) s"
}

test_projects() {
    local name
    for name in "${fast_first[@]}"; do [[ -d tests/$name ]] && echo "$name"; done
    for name in tests/*.Tests; do
        name=${name#tests/}
        [[ " ${fast_first[*]} $last " == *" $name "* ]] || echo "$name"
    done
    [[ -d tests/$last ]] && echo "$last"
}

# One number of a trx file's <Counters .../>.
counter() {
    local value
    value=$(grep -o '<Counters [^>]*' "$2" 2>/dev/null | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*')
    echo "${value:-0}"
}

run_project() {
    local name=$1 trx=$results/$1.trx log=$results/$1.log started=$SECONDS status=0
    local arguments=("$artifacts/bin/$name/release/$name.dll" --logger "trx;LogFileName=$name.trx"
        --logger 'console;verbosity=minimal' --results-directory "$results"
        --blame-hang-timeout 10m --blame-hang-dump-type none)
    [[ -n $test_filter ]] && arguments+=(--filter "FullyQualifiedName~$test_filter")
    rm -f "$trx"
    dotnet test "${arguments[@]}" >"$log" 2>&1 || status=$?

    local total run ok bad
    total=$(counter total "$trx") run=$(counter executed "$trx") ok=$(counter passed "$trx") bad=$((run - ok))
    # A test host that died reports no failed test.
    ((status != 0 && bad == 0)) && bad=1
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + total - run))
    say "$name: $ok passed, $bad failed, $((total - run)) skipped, $((SECONDS - started)) s"
    ((bad == 0)) || tail -n 200 "$log"
}

project_filter='' test_filter=${2:-}
if [[ -n ${1:-} ]]; then
    if test_projects | grep -qiF -- "$1"; then
        project_filter=$1
    else
        [[ -z $test_filter ]] || finish "no test project's name contains '$1'"
        test_filter=$1
    fi
fi

mkdir -p "$results"
command -v dotnet >/dev/null || finish "the .NET SDK 10 is needed, and no 'dotnet' is on PATH"
install_packages
step restore restore dotnet restore "$solution"
step build build dotnet build "$solution" -c Release --no-restore -v quiet
step format format dotnet format "$solution" --verify-no-changes --no-restore

while read -r name; do
    run_project "$name"
done < <(test_projects | grep -iF -- "$project_filter")
finish
