# shellcheck shell=dash
# upgrade_fault: why the last run of unattended-upgrades did not end well, by its log: its service ends well in any case.
upgrade_fault() {
  tail -n 60 /var/log/unattended-upgrades/unattended-upgrades.log 2>/dev/null | awk '
    / INFO Starting unattended upgrades script/ { said = "" }
    sub(/^[-0-9]* [0-9:,]* ERROR /, "") { gsub(/[[:cntrl:]]/, " "); said = substr($0, 1, 200) }
    END { print said }'
}
