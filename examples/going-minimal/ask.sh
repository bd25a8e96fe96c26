# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the scripts of this folder, which source it.

# Asks the server on that port, until it is up, what the talk asks; fails where the answer is another than awk's.
ask() { # ask PORT NAME
    local answer=
    # shellcheck disable=SC2016 # the script is awk's
    for _ in $(seq 200); do
        answer=$(curl -s --max-time 5 -X POST -F 'text=hello world' -F 'awkScript={print $1}' "localhost:$1/test") && break
        sleep 0.1
    done
    echo "$answer"
    [ "$answer" = '{"stderr":"","stdout":"hello\n"}' ] || {
        echo "$2: that is not the answer that was expected" >&2
        return 1
    }
}

free_port() { # free_port FROM: a port that is free now; two runs at once look in different places
    local port=$(($1 + $$ % 10000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}
