#!/bin/bash
# kubernetes-taskmanager.sh [argument…]; the JobManager tells the JVM's memory in FLINK_TM_JVM_MEM_OPTS.
. /opt/flink/bin/flink-process.sh
case " $* " in
  *" --configDir "*) ;;
  *) set -- --configDir "$FLINK_CONF_DIR" "$@" ;;
esac
start_flink taskmanager org.apache.flink.kubernetes.taskmanager.KubernetesTaskExecutorRunner "$FLINK_TM_JVM_MEM_OPTS" "$@"
