# shellcheck shell=dash
jobs_changed=''
# jobs_only NAMES: removes the other jobs of the bot. One that is under way goes on to its end.
jobs_only() {
  for path in /etc/systemd/system/"botgarden-job-$bot".*.timer /etc/systemd/system/"botgarden-job-$bot".*.service "$jobs_folder"/*; do
    [ -e "$path" ] || continue
    name=${path##*/}
    name=${name#"botgarden-job-$bot."}
    name=${name%.*}
    case " $1 " in *" $name "*) continue ;; esac
    job_unit="botgarden-job-$bot.$name"
    systemctl disable --now --quiet "$job_unit.timer" 2>/dev/null || :
    rm -f "/etc/systemd/system/$job_unit.timer" "/etc/systemd/system/$job_unit.service" "/var/lib/systemd/timers/stamp-$job_unit.timer"
    rm -f "$jobs_folder/$name.yaml" "$jobs_folder/$name.sh" "$jobs_results/$name.json" "$path"
    systemctl reset-failed "$job_unit.service" 2>/dev/null || :
    jobs_changed="$jobs_changed $name "
  done
}
