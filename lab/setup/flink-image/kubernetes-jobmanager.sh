#!/bin/bash
# kubernetes-jobmanager.sh kubernetes-application|kubernetes-session [argument…]
. /opt/flink/bin/flink-process.sh
case $1 in
  kubernetes-application) class=org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint ;;
  kubernetes-session) class=org.apache.flink.kubernetes.entrypoint.KubernetesSessionClusterEntrypoint ;;
  *) echo "there is no entry point '$1'" >&2; exit 2 ;;
esac
shift
# How much memory which part of the process gets: Flink reckons it from its configuration. Two lines: options of the JVM,
# and arguments of Flink.
mark=BASH_JAVA_UTILS_EXEC_RESULT:
output=$("$java" @/opt/flink/java-options -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$FLINK_LIB_DIR/*" \
  org.apache.flink.runtime.util.bash.BashJavaUtils GET_JM_RESOURCE_PARAMS --configDir "$FLINK_CONF_DIR" "$@" 2>&1) ||
  { echo "$output" >&2; exit 1; }
results=()
while IFS= read -r line; do
  [[ $line == "$mark"* ]] && results+=("${line#"$mark"}")
done <<<"$output"
[ ${#results[@]} -gt 0 ] || { echo "$output" >&2; exit 1; }
# Unquoted: a list of arguments.
start_flink jobmanager "$class" "${results[0]}" ${results[1]} "$@"
