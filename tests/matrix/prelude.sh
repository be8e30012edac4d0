# What every command of the matrix may use. `bash` reads this before each of them.

# The scenario's own things, and those whose names begin like them.
own() { docker "$@" --filter "name=$NAME"; }

# Removes all that a scenario may leave behind.
clean() {
    own ps -aq --no-trunc | xargs -r docker rm -fv
    own network ls -q | xargs -r docker network rm
    own volume ls -q | xargs -r docker volume rm -f
    docker images --format '{{.Repository}}:{{.Tag}}' | grep -F "$NAME" | xargs -r docker rmi -f
    docker swarm leave --force
}

# Waits until a command succeeds; its output is not shown.
until_true() { until "$@" >/dev/null 2>&1; do sleep 0.05; done; }

# Waits until the log of a container holds a text.
until_logged() { until docker logs "$1" 2>&1 | grep -qF -- "$2"; do sleep 0.05; done; }

# Passes on its input without lines that repeat the one before, each line at once.
once() {
    local line last=
    while IFS= read -r line; do
        [ "$line" = "$last" ] || printf '%s\n' "$line"
        last=$line
    done
}

# Passes on its input without what the clock says: instants, durations, and what is measured.
timeless() {
    sed -E -u \
        -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]+(\.[0-9]+)?( ?(Z|[+-][0-9:]+))?( [A-Z]+)?/INSTANT/g' \
        -e 's/(About an?|Less than a|[0-9]+) (second|minute|hour)s?/DURATION/g' \
        -e 's/\b[0-9]+(\.[0-9]+)?(ms|s)\b/DURATION/g' \
        -e 's/(execDuration)=[0-9]+/\1=DURATION/' \
        -e 's/ {2,}/  /g'
}

# Passes on its input without the stages of a pull or push between the first and the last: the engine
# leaves out those that pass before it has told of the one before.
settled() {
    sed -E -u '/: (Waiting|Verifying Checksum|Download complete|Extracting|Preparing|Pushing)$/d'
}

# What a BuildKit build says, without its clock, and without the steps whose order and wording tell
# only how the work was shared out: each line that is left once, in alphabetical order.
steps() {
    sed -E -e 's/^#[0-9]+ //' -e 's/^[0-9.]+ //' -e 's/buildkit-mount[0-9]+/MOUNT/' | timeless |
        grep -Ev '^(transferring|resolve|sha256:|DONE|CACHED|CANCELED|\.\.\.|$)|^\[internal\]|^(exporting|copying files|writing|naming|sending)|^ *[0-9.]+ *[kM]?B' |
        sort -u
}
