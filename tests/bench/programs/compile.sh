# SPDX-License-Identifier: GPL-3.0-or-later
# compile.sh FOLDER SOURCE COMPILER...: compiles into a folder and says the object file.
object=$1/bench.o source=$2
shift 2
"$@" -c -o "$object" "$source" && cat "$object"
