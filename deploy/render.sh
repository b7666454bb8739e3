#!/usr/bin/env bash
# Renders deploy/manifests/airmesh.yaml from the chart, for those who use no Helm. Needs helm.
set -euo pipefail
cd "$(dirname "$0")/.."
{
  echo "# Rendered from charts/airmesh by deploy/render.sh, with its defaults. Apply: kubectl apply --server-side -f deploy/manifests/airmesh.yaml"
  printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: airmesh-system\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n'
  helm template airmesh charts/airmesh --namespace airmesh-system --skip-tests
} > "${1:-deploy/manifests/airmesh.yaml}"
