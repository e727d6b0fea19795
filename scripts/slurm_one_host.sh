#!/usr/bin/env bash
# A Slurm of one host, to try excite's --slurm on: for tests only, never for a cluster (its daemons
# run as root, nothing is accounted or confined).
#
#   eval "$(scripts/slurm_one_host.sh start)"   installs and starts what is missing; prints the
#                                               setting that makes sbatch and squeue find it
#   scripts/slurm_one_host.sh stop              stops what it started
#
# For root on Debian or Ubuntu, with or without systemd. SLURM_TRIAL names its folder.
set -euo pipefail

folder=${SLURM_TRIAL:-/var/tmp/slurm-one-host}
conf=$folder/slurm.conf

fail() { echo "slurm_one_host: $*" >&2; exit 1; }
say() { echo "slurm_one_host: $*" >&2; }

# Whether the process whose number a file holds lives and is that program.
lives() { [ -s "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]; }

install_packages() {
  local missing=()
  command -v munged >/dev/null || missing+=(munge)
  command -v slurmctld >/dev/null && command -v slurmd >/dev/null || missing+=(slurm-wlm)
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || fail "install munge, slurmctld and slurmd yourself"
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

write_conf() {
  local host cpus
  host=$(hostname -s)
  cpus=$(nproc)
  # No cgroups and no accounting, which a container seldom has. A requeued job waits for the
  # credential to expire before it starts again: two minutes, were it not set.
  cat >"$conf" <<END
ClusterName=onehost
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=trial Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
}

start() {
  [ "$(id -u)" -eq 0 ] || fail "run it as root"
  [ ! -e /etc/slurm/slurm.conf ] || fail "/etc/slurm/slurm.conf: this host has a Slurm; use that"
  install_packages
  mkdir -p "$folder/state" "$folder/spool"
  write_conf
  export SLURM_CONF=$conf
  if ! munge </dev/null 2>/dev/null | unmunge >/dev/null 2>&1; then
    install -d -o munge -g munge -m 755 /run/munge
    runuser -u munge -- munged >&2
  fi
  lives "$folder/slurmctld.pid" slurmctld || slurmctld >&2
  lives "$folder/slurmd.pid" slurmd || slurmd >&2
  for _ in $(seq 30); do
    # Both commands wait long for a controller that does not answer.
    if [ "$(timeout 2 sinfo --noheader --format %t 2>/dev/null)" = idle ]; then
      say "running; logs are in $folder"
      echo "export SLURM_CONF=$conf"
      return
    fi
    # A node that a killed daemon left is down until told otherwise.
    timeout 2 scontrol update "NodeName=$(hostname -s)" State=RESUME 2>/dev/null || true
    sleep 1
  done
  tail -n 5 "$folder/slurmctld.log" "$folder/slurmd.log" >&2
  fail "the node did not become idle within a minute"
}

stop() {
  local name pid
  for name in slurmd slurmctld; do
    lives "$folder/$name.pid" "$name" || continue
    pid=$(cat "$folder/$name.pid")
    kill "$pid"
    while [ -e "/proc/$pid" ]; do sleep 0.2; done
  done
  say "stopped; munged goes on"
}

case ${1:-} in
start) start ;;
stop) stop ;;
*) fail "say start or stop" ;;
esac
