#!/usr/bin/env bash
# Renders deploy/manifests/airmesh.yaml from the chart, for those who use no Helm. Needs helm.
# `render.sh rights FILE`: what an installation may do that watches one namespace; tests hold an API server to it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = rights ]; then
  helm template scoped charts/airmesh --namespace scoped-system --set 'watchNamespaces={scoped-shop}' --set 'secrets.scoped-shop={relay}' \
    --show-only templates/serviceaccount.yaml --show-only templates/views.yaml --show-only templates/rbac-cluster.yaml \
    --show-only templates/rbac-own.yaml --show-only templates/rbac-watched.yaml --show-only templates/rbac-secrets.yaml \
    > "${2:-test/golden/chart/scoped.yaml}"
  exit
fi
# `render.sh certificate FILE`: the controllers' certificate by cert-manager, and what goes with it.
if [ "${1:-}" = certificate ]; then
  helm template airmesh charts/airmesh --namespace airmesh-system --set certManager.enabled=true,certManager.issuerRef.name=mesh \
    --show-only templates/certificate.yaml --show-only templates/webhook.yaml --show-only templates/rbac-cluster.yaml --show-only templates/rbac-own.yaml \
    --show-only templates/deployment.yaml > "${2:-test/golden/chart/certificate.yaml}"
  exit
fi
{
  echo "# Rendered from charts/airmesh by deploy/render.sh, with its defaults. Apply: kubectl apply --server-side -f deploy/manifests/airmesh.yaml"
  printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: airmesh-system\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n'
  helm template airmesh charts/airmesh --namespace airmesh-system --skip-tests
} > "${1:-deploy/manifests/airmesh.yaml}"
