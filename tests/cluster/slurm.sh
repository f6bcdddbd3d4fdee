#!/usr/bin/env bash
# A real Slurm on this machine for tests: one controller and three nodes, n0 to n2, each with a slurmd of its own, on loopback.
#   slurm.sh start DIR PORT     starts it on four ports from PORT, with its state under DIR; its configuration is DIR/slurm.conf
#   slurm.sh stop DIR           ends what it started, by process id
# From Debian's package slurm-wlm (22.05). No accounting, no cgroups: tasks are processes of this user.
set -euo pipefail
what=$1
dir=$(mkdir -p "$2" && cd "$2" && pwd)
export SLURM_CONF=$dir/slurm.conf
case $what in
start)
  port=$3
  host=$(hostname -s)
  user=$(id -un)
  mkdir -p "$dir"/state "$dir"/spool "$dir"/log
  cat > "$SLURM_CONF" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/none
CredType=cred/none
SlurmUser=$user
SlurmdUser=$user
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1
# A job that is queued again waits for as long as its credential holds, which is two minutes elsewhere.
AuthInfo=cred_expire=5
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=3
MinJobAge=300
NodeName=n[0-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 3))] CPUs=$(nproc) State=UNKNOWN
PartitionName=tests Nodes=n[0-2] Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
CONF
  slurmctld
  for node in n0 n1 n2; do slurmd -N "$node"; done
  # The nodes register at once; until then there is nowhere to run.
  for _ in $(seq 300); do
    [ "$(sinfo --noheader --states idle --format %D 2>/dev/null | head -n1)" = 3 ] && exit 0
    sleep 0.1
  done
  echo "Slurm has not come up: $(tail -n 5 "$dir"/log/*.log)" >&2
  exit 1
  ;;
stop)
  for pid in "$dir"/n?.pid "$dir"/slurmctld.pid; do
    if [ -f "$pid" ]; then kill "$(cat "$pid")" 2>/dev/null || true; fi
  done
  ;;
*)
  echo "slurm.sh start DIR PORT, or slurm.sh stop DIR" >&2
  exit 2
  ;;
esac
