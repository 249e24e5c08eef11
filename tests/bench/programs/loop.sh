# SPDX-License-Identifier: GPL-3.0-or-later
# What a shell does all day: variables, arithmetic, patterns, functions, and now and then a process.
turn=0 sum=1 words=
add() {
    sum=$(((sum * 31 + $1) % 65521))
}
while [ $turn -lt 1000 ]; do
    turn=$((turn + 1))
    add $turn
    case $sum in
    *00) words="$words $sum" ;;
    1*) add ${#words} ;;
    *[357]) words=${words%% *} ;;
    esac
    [ $((turn % 250)) -ne 0 ] || words=$words$(echo "$sum")
done
echo "$sum $words"
