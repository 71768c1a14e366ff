# Sourced by the launchers: $root is the checkout, $python the first interpreter that is new enough.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)

python=
for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "Vouch needs Python 3.11 or newer, and found none (looked for \$PYTHON, python3, python3.14 ... python3.11)." >&2
  echo "On Debian or Ubuntu: apt install python3 python3-venv; elsewhere run again with PYTHON=/path/to/python3.11" >&2
  exit 1
fi

# in_project MODULE ...: run one of the project's own modules with the interpreter found above.
in_project() (
  cd "$root" && exec "$python" -m "$@"
)
