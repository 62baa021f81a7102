# What depends most on who starts the daemon, of the e2e suite as the systemd unit: start and end, confinement, the page, limits, and a
# circuit. The whole takes two runs of the suite.
# shellcheck shell=sh
# shellcheck disable=SC2034 # suite.sh reads it
SUITE_ONLY="test_start test_end test_modes test_watchdog test_metrics test_full test_circuit test_probe test_split"
. "$here/part_suite_systemd.sh"
skip "the rest of the e2e suite as a systemd unit: make deploy-check DEPLOY_ONLY=suite_systemd"
