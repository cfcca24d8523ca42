#!/bin/bash
# The command of a pod, with Flink's scripts on the PATH: of the official image's entry point this is what native
# Kubernetes needs.
export PATH=/opt/flink/bin:/opt/java/bin:$PATH
exec "$@"
