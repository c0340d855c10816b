#!/bin/sh
# Makes .env beside docker-compose.yml out of .env.example: what is empty there gets a random value.
# A .env that is there already keeps its values and gets only what is new.
set -eu
cd "$(dirname "$0")/.."
env_file=${1:-.env}
umask 077
[ -e "$env_file" ] || : > "$env_file"
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
while IFS= read -r line; do
  case $line in
    [A-Z]*=) ;;
    *) continue ;;
  esac
  name=${line%=}
  if grep -q "^$name=." "$env_file"; then continue; fi
  case $name in
    *_KEY) value=$(head -c 32 /dev/urandom | base64) ;;
    *) value=$(random 24) ;;
  esac
  printf '%s=%s\n' "$name" "$value" >> "$env_file"
done < .env.example
echo "Secrets stand in $env_file"
