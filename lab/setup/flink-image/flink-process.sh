# What both scripts share; to be sourced. Their names, and what they are called with, are Flink's
# (KubernetesApplicationClusterEntrypoint, CmdTaskManagerDecorator).
set -e
export FLINK_HOME=/opt/flink FLINK_LIB_DIR=/opt/flink/lib FLINK_PLUGINS_DIR=/opt/flink/plugins
export FLINK_OPT_DIR=/opt/flink/opt FLINK_CONF_DIR=${FLINK_CONF_DIR:-/opt/flink/conf}
java=/opt/java/bin/java

# setting KEY: the value in Flink's configuration, where each key has a line; nothing where it isn't set.
setting() {
  local file line value
  for file in "$FLINK_CONF_DIR/flink-conf.yaml" "$FLINK_CONF_DIR/config.yaml"; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      [[ $line == "$1: "* ]] && value=${line#"$1: "}
    done <"$file"
  done
  value=${value#[\"\']}
  printf '%s' "${value%[\"\']}"
}

# start_flink KIND CLASS JVM-OPTIONS ARGUMENT…: becomes Flink's process. KIND: jobmanager or taskmanager.
start_flink() {
  local kind=$1 class=$2 memory=$3 log=$FLINK_CONF_DIR/log4j-console.properties
  shift 3
  [ -f "$log" ] || log=/opt/flink/log4j-console.properties
  # Unquoted: each of these is a list of options.
  exec "$java" @/opt/flink/java-options $memory $(setting env.java.opts.all) $(setting "env.java.opts.$kind") \
    "-Dlog4j.configurationFile=$log" "-Dlog.file=/tmp/flink-$kind.log" -cp "$FLINK_LIB_DIR/*" "$class" "$@"
}
