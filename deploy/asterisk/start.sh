#!/bin/sh
# Starts Asterisk with the secrets of the environment. They go to memory (a tmpfs), never into the image or a volume.
set -eu
: "${AMI_USERNAME:?set AMI_USERNAME in .env}"
: "${AMI_SECRET:?set AMI_SECRET in .env}"
: "${SIP_PASSWORD:?set SIP_PASSWORD in .env: the password of the telephones}"
run=${ASTERISK_RUN:-/run/asterisk}
state=${ASTERISK_STATE:-/var/lib/offhook-asterisk}

# A line end in a value would be a line of configuration, and ";" would begin a comment.
for value in "$AMI_USERNAME" "$AMI_SECRET" "${AMI_FEED_USERNAME:-}" "${AMI_FEED_SECRET:-}" "$SIP_PASSWORD"; do
  case $value in
    *[!A-Za-z0-9._~+/=-]*) echo 'start.sh: usernames and secrets may hold letters, digits and . _ ~ + / = - only' >&2; exit 1 ;;
  esac
done

umask 077
mkdir -p "$state/db" "$state/spool" "$run/secrets"
{
  printf '[%s](control)\nsecret = %s\n' "$AMI_USERNAME" "$AMI_SECRET"
  if [ -n "${AMI_FEED_USERNAME:-}" ]; then
    printf '[%s](feed)\nsecret = %s\n' "$AMI_FEED_USERNAME" "${AMI_FEED_SECRET:?goes with AMI_FEED_USERNAME}"
  else
    # One account for both: what the events account may read, too.
    printf 'read = system,call,agent,user\n'
  fi
} > "$run/secrets/manager.conf"
for phone in 340 370 desk1; do
  printf '[%s-auth](+)\npassword = %s\n' "$phone" "$SIP_PASSWORD"
done > "$run/secrets/pjsip.conf"
pin() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }
printf '[default]\n340 => %s,Thomas Weber\n370 => %s,Max Meyer\n' "$(pin)" "$(pin)" > "$run/secrets/voicemail.conf"

# -f: in the foreground. -U would be needed only for root.
exec asterisk -f -C "${ASTERISK_CONF:-/etc/asterisk/asterisk.conf}" "$@"
