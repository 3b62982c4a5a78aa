#!/bin/sh
# Usage: install-packages.sh LOCK. Installs what LOCK names into .venv, every file checked against its hash.
# PYTHON is the interpreter to make .venv with. What a new machine can lack ends this with one line that says what to do.
set -u
lock=$1
python=${PYTHON:-python3}

end() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null ||
    end "$python is not here: install Python 3.11 or later (Debian and Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=python3.12 …"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    end "Python 3.11 or later is needed, $python is $("$python" -c 'import platform; print(platform.python_version())'): install one and name it: make PYTHON=python3.11 …"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    end "Python's venv module is not here: install it (Debian and Ubuntu: apt install python3-venv) and try again"

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making .venv and installing packages; this takes a minute the first time"
    said=$("$python" -m venv .venv 2>&1) || end "no virtual environment could be made in .venv: $(echo "$said" | tail -n 1)"
fi
said=$(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --no-deps --require-hashes --requirement "$lock" 2>&1) && exit 0
why=$(echo "$said" | grep -v '^WARNING: Retrying\|^$' | grep 'ERROR:' | tail -n 1)
case $said in
*"DO NOT MATCH THE HASHES"*)
    end "A package is not the one that $lock names, and was not installed: $(echo "$said" | grep -m 1 'from http\|https\|file:')" ;;
*NewConnectionError* | *"Temporary failure in name resolution"* | *"connection broken"* | *ConnectTimeout* | *ProxyError*)
    end "The package index cannot be reached: check the network (or set a proxy or an index of your own: HTTPS_PROXY, PIP_INDEX_URL) and try again" ;;
*)
    echo "$said" >&2
    end "The packages could not be installed: ${why#ERROR: }" ;;
esac
